/* References of images: the parts put together again are the text, as far as they go. */
#include "collector/runtime/image_ref.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = str_of(data, n);
	struct image_ref ref = image_ref_split(text);
	struct str id = image_ref_id(text);
	if (!ref.repository.p || !ref.tag.p || !ref.digest.p || !id.p)
		abort();
	if (!str_starts(text, ref.repository) || (ref.digest.n && !str_ends(text, ref.digest)))
		abort();
	if (ref.repository.n + ref.tag.n + ref.digest.n > n)
		abort();
	return 0;
}
