/* The form of container and image ids. Internal to collector/runtime. */
#ifndef HW_COLLECTOR_RUNTIME_HEX_H
#define HW_COLLECTOR_RUNTIME_HEX_H

#include "base/str.h"

#define HEX_ID_LEN 64

/* True for 64 lower-case hex digits. */
static inline bool hex_is_id(struct str s)
{
	if (s.n != HEX_ID_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return true;
}

#endif
