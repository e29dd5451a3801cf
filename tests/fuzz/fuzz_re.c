#include "base/re.h"

#include "base/err.h"

/* First byte: anchored or not. The pattern ends at a zero byte; what follows is the subject. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(re_free) struct re *r = NULL;
	struct err e = { 0 };

	if (n == 0)
		return 0;
	struct str subject = str_of(data + 1, n - 1);
	struct str pattern = str_cut(&subject, '\0');
	if (re_compile(&r, pattern, data[0] & 1, &e)) {
		if (e.code != ERR_FORMAT || strchr(e.msg, '\n'))
			abort();
		return 0;
	}
	int rc = re_match(r, subject);
	if (rc < -1 || rc > 1)
		abort();
	return 0;
}
