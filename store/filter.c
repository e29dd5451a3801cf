#include "store/reader_impl.h"

#include "base/clock.h"

int filter_open(struct filter *f, struct store_reader *r, struct str text,
	const struct where_view *view, struct err *e)
{
	if (!text.n)
		return 0;
	if (where_compile(&f->where, text, view, clock_real_ns(), e) ||
		where_lookup_open(&f->lookup, r, e))
		return -1;
	f->source = where_lookup_source(f->lookup);
	where_set_source(f->where, &f->source);
	return 0;
}

void filter_close(struct filter *f)
{
	where_free(f->where);
	where_lookup_close(f->lookup);
	*f = (struct filter){ 0 };
}
