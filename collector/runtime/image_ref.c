#include "collector/runtime/image_ref.h"

#include "collector/runtime/hex.h"

static struct str after(struct str s, size_t n)
{
	return str_of(s.p + n, s.n - n);
}

struct str image_ref_id(struct str text)
{
	struct str algorithm = STR("sha256:");
	if (str_starts(text, algorithm))
		text = after(text, algorithm.n);
	return hex_is_id(text) ? text : STR("");
}

/* Where the tag's colon stands, or s.n. A colon before a slash is a registry's port. */
static size_t find_tag(struct str s)
{
	for (size_t i = s.n; i-- > 0 && s.p[i] != '/';) {
		if (s.p[i] == ':')
			return i;
	}
	return s.n;
}

struct image_ref image_ref_split(struct str text)
{
	struct image_ref ref = { STR(""), STR(""), STR("") };
	if (!text.n || image_ref_id(text).n)
		return ref;
	struct str rest = text;
	struct str name = str_cut(&rest, '@');
	if (rest.n)
		ref.digest = rest;
	size_t at = find_tag(name);
	ref.repository = str_of(name.p, at);
	if (at + 1 < name.n)
		ref.tag = after(name, at + 1);
	return ref;
}
