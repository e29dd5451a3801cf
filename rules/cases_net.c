/* What a case says of a socket. */
#include "rules/cases_impl.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "rules/fields_impl.h"

#define C(class) (1u << EVENT_##class)
#define NETS     (C(CONNECT) | C(ACCEPT) | C(BIND) | C(LISTEN) | C(SOCKET))

enum side { SIDE_LOCAL, SIDE_REMOTE, SIDE_CLIENT, SIDE_SERVER };

static struct event_addr *side_of(struct scene *s, enum side side)
{
	enum event_class c = s->ev.class;
	bool serves = c == EVENT_ACCEPT || c == EVENT_BIND || c == EVENT_LISTEN;

	if (side == SIDE_CLIENT)
		side = serves ? SIDE_REMOTE : SIDE_LOCAL;
	else if (side == SIDE_SERVER)
		side = serves ? SIDE_LOCAL : SIDE_REMOTE;
	return side == SIDE_LOCAL ? &s->ev.net.local : &s->ev.net.remote;
}

static int take_family(struct scene *s, uint16_t family, const struct yaml_node *v, struct fault *f)
{
	if (s->ev.net.family && s->ev.net.family != family)
		return fault_set(f, v, "%s: not of the same family as the rest", v->value.p);
	s->ev.net.family = family;
	return 0;
}

static int take_ip(struct scene *s, struct event_addr *a, struct str text,
	const struct yaml_node *v, struct fault *f)
{
	char z[INET6_ADDRSTRLEN + 1];

	if (!text.n || text.n >= sizeof(z))
		return fault_set(f, v, "%.100s: not an address", v->value.p);
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	if (inet_pton(AF_INET, z, a->addr) == 1)
		return take_family(s, EVENT_AF_INET, v, f);
	if (inet_pton(AF_INET6, z, a->addr) == 1)
		return take_family(s, EVENT_AF_INET6, v, f);
	return fault_set(f, v, "%.100s: not an address", v->value.p);
}

static int set_ip(struct scene *s, void *base, const struct scene_key *k, const struct yaml_node *v,
	struct fault *f)
{
	struct str text;

	(void)base;
	if (!scene_text(v, &text, f))
		return -1;
	return take_ip(s, side_of(s, (enum side)k->aux), text, v, f);
}

static int set_port(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	int64_t port;

	(void)base;
	if (!scene_number(v, 0, UINT16_MAX, &port, f))
		return -1;
	side_of(s, (enum side)k->aux)->port = (uint16_t)port;
	return 0;
}

static int set_num(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	int64_t fd;

	(void)base, (void)k;
	if (!scene_number(v, -1, INT32_MAX, &fd, f))
		return -1;
	s->ev.net.fd = (int32_t)fd;
	return 0;
}

static int set_l4proto(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	static const char *const names[] = { "tcp", "udp", "icmp", "raw" };
	static const uint16_t types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RAW };
	static const uint16_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_RAW };

	(void)base, (void)k;
	for (size_t i = 0; v->kind == YAML_SCALAR && i < ARRAY_N(names); i++) {
		if (!str_eqz(v->value, names[i]))
			continue;
		s->ev.net.type = types[i];
		s->ev.net.protocol = protocols[i];
		return 0;
	}
	if (v->kind != YAML_SCALAR)
		return fault_set(f, v, "a text is needed here");
	return fault_unknown(f, v, "protocol", names, ARRAY_N(names));
}

static int set_domain(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	int64_t number;
	int family = -1;

	(void)base, (void)k;
	if (v->kind == YAML_SCALAR && yaml_i64(v, &number) && number >= 0 && number < 256)
		family = (int)number;
	else if (v->kind == YAML_SCALAR)
		family = fields_domain(v->value);
	if (family < 0)
		return fault_set(f, v, "domain is a family of sockets, as AF_INET");
	return take_family(s, (uint16_t)family, v, f);
}

static int set_socket_type(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	static const struct scene_word words[] = {
		{ "SOCK_STREAM", SOCK_STREAM },
		{ "SOCK_DGRAM", SOCK_DGRAM },
		{ "SOCK_RAW", SOCK_RAW },
		{ "SOCK_SEQPACKET", SOCK_SEQPACKET },
	};
	uint64_t type;

	(void)base, (void)k;
	if (scene_words(v, "type of socket", words, ARRAY_N(words), &type, f))
		return -1;
	s->ev.net.type = (uint16_t)type;
	return 0;
}

static int set_u16(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	int64_t i;

	(void)base;
	if (!scene_number(v, 0, UINT16_MAX, &i, f))
		return -1;
	*(uint16_t *)((char *)&s->ev + k->offset) = (uint16_t)i;
	return 0;
}

static const struct scene_key table[] = {
	{ "fd.lip", set_ip, 0, NETS, SIDE_LOCAL },
	{ "fd.rip", set_ip, 0, NETS, SIDE_REMOTE },
	{ "fd.cip", set_ip, 0, NETS, SIDE_CLIENT },
	{ "fd.sip", set_ip, 0, NETS, SIDE_SERVER },
	{ "fd.lport", set_port, 0, NETS, SIDE_LOCAL },
	{ "fd.rport", set_port, 0, NETS, SIDE_REMOTE },
	{ "fd.cport", set_port, 0, NETS, SIDE_CLIENT },
	{ "fd.sport", set_port, 0, NETS, SIDE_SERVER },
	{ "fd.num", set_num, 0, NETS, 0 },
	{ "fd.l4proto", set_l4proto, 0, NETS, 0 },
	{ "domain", set_domain, 0, NETS, 0 },
	{ "socket_type", set_socket_type, 0, NETS, 0 },
	{ "proto", set_u16, offsetof(struct event, net.protocol), NETS, 0 },
	{ "backlog", set_u16, offsetof(struct event, net.backlog), NETS, 0 },
};
const struct scene_keys scene_net_keys = { table, ARRAY_N(table) };

int scene_net_type(struct scene *s, const struct yaml_node *v, struct fault *f)
{
	static const char *const names[] = { "ipv4", "ipv6", "unix", "netlink" };
	static const uint16_t families[] = { AF_INET, AF_INET6, AF_UNIX, AF_NETLINK };

	if (v->kind != YAML_SCALAR)
		return fault_set(f, v, "a text is needed here");
	for (size_t i = 0; i < ARRAY_N(names); i++)
		if (str_eqz(v->value, names[i]))
			return take_family(s, families[i], v, f);
	return fault_unknown(f, v, "fd.type", names, ARRAY_N(names));
}

/* "10.0.0.1:80": the last colon ends the address, as Falco prints IPv6 too. */
static int take_end(struct scene *s, struct event_addr *a, struct str text,
	const struct yaml_node *v, struct fault *f)
{
	const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
	uint64_t port;

	if (!colon)
		return fault_set(f, v,
			"fd.name of a socket is ADDRESS:PORT, "
			"ADDRESS:PORT->ADDRESS:PORT, or a path");
	if (!str_to_u64(str_of(colon + 1, text.n - (size_t)(colon - text.p) - 1), &port) ||
		port > UINT16_MAX)
		return fault_set(f, v, "%.100s: not a port", colon + 1);
	a->port = (uint16_t)port;
	return take_ip(s, a, str_of(text.p, (size_t)(colon - text.p)), v, f);
}

int scene_net_name(struct scene *s, const struct yaml_node *v, struct fault *f)
{
	struct str text;
	const char *arrow;
	size_t n;

	if (!scene_text(v, &text, f))
		return -1;
	if (text.n && (text.p[0] == '/' || text.p[0] == '@')) {
		s->ev.net.path = scene_span(s, text);
		return take_family(s, EVENT_AF_UNIX, v, f);
	}
	arrow = strstr(text.p, "->");
	if (!arrow)
		return take_end(s, side_of(s, SIDE_SERVER), text, v, f);
	n = (size_t)(arrow - text.p);
	if (take_end(s, side_of(s, SIDE_CLIENT), str_of(text.p, n), v, f))
		return -1;
	return take_end(s, side_of(s, SIDE_SERVER), str_of(arrow + 2, text.n - n - 2), v, f);
}

void scene_net_finish(struct scene *s)
{
	struct event *ev = &s->ev;
	bool makes = ev->class == EVENT_ACCEPT || ev->class == EVENT_SOCKET;

	if (!s->has_res && makes)
		ev->ret = 7;
	if (!ev->net.fd && !makes)
		ev->net.fd = 5;
	if (!ev->net.type)
		ev->net.type = SOCK_STREAM;
	if (!ev->net.protocol && ev->net.type == SOCK_STREAM && ev->net.family != EVENT_AF_UNIX)
		ev->net.protocol = IPPROTO_TCP;
	ev->net.listening = ev->class == EVENT_LISTEN;
}
