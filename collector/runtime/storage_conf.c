#include "collector/runtime/storage_conf.h"

/* "value" or 'value', perhaps followed by a comment. Empty when it is anything else. */
static struct str read_path(struct str s)
{
	s = str_trim(s);
	if (s.n < 2 || (s.p[0] != '"' && s.p[0] != '\''))
		return (struct str){ 0 };
	struct str rest = str_of(s.p + 1, s.n - 1);
	struct str value = str_cut(&rest, s.p[0]);
	bool closed = rest.p != NULL;
	if (!closed || !value.n || value.p[0] != '/')
		return (struct str){ 0 };
	if (memchr(value.p, '\\', value.n) || memchr(value.p, '$', value.n))
		return (struct str){ 0 };
	return value;
}

static bool is_storage_table(struct str line)
{
	struct str name = str_cut(&line, ']');
	return str_eqz(str_trim(str_of(name.p + 1, name.n - 1)), "storage");
}

static void read_key(struct str line, struct storage_conf *conf)
{
	struct str value = line;
	struct str key = str_trim(str_cut(&value, '='));
	if (!value.p)
		return;
	if (str_eqz(key, "graphroot"))
		conf->graphroot = read_path(value);
	else if (str_eqz(key, "runroot"))
		conf->runroot = read_path(value);
}

struct storage_conf storage_conf_read(struct str text)
{
	struct storage_conf conf = { 0 };
	bool inside = false;
	while (text.n) {
		struct str line = str_trim(str_cut(&text, '\n'));
		if (!line.n || line.p[0] == '#')
			continue;
		if (line.p[0] == '[')
			inside = is_storage_table(line);
		else if (inside)
			read_key(line, &conf);
	}
	return conf;
}
