#include "collector/runtime/json_file.h"

#include "base/opener.h"

static int read_doc(
	struct json **out, const char *root, const char *path, size_t max_bytes, struct err *e)
{
	AUTO(buf_fini) struct buf text = BUF_INIT(max_bytes);
	if (opener_read(root, path, &text, e))
		return -1;
	if (json_parse(out, buf_str(&text), max_bytes, e))
		return err_wrap(e, "%s", path);
	return 1;
}

int json_file_refresh(struct json_file *f, const char *root, size_t max_bytes, struct err *e)
{
	struct stamp now;
	if (stamp_take(&now, root, f->path, e))
		return -1;
	if (stamp_equal(&f->stamp, &now))
		return f->doc != NULL;
	json_file_fini(f);
	if (!now.there)
		return 0;
	/* Stamped before it is read: a change in between makes the stamp old, never the text. */
	f->parsed_n++;
	if (read_doc(&f->doc, root, f->path, max_bytes, e) < 0)
		return -1;
	f->stamp = now;
	return 1;
}

void json_file_fini(struct json_file *f)
{
	json_free(f->doc);
	f->doc = NULL;
	f->stamp = (struct stamp){ 0 };
}

int json_file_read(
	struct json **out, const char *root, const char *path, size_t max_bytes, struct err *e)
{
	struct stamp now;
	if (stamp_take(&now, root, path, e))
		return -1;
	return now.there ? read_doc(out, root, path, max_bytes, e) : 0;
}
