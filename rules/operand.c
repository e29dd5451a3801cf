#include "rules/operand.h"

#include "base/hash.h"
#include "rules/glob.h"

#include <arpa/inet.h>
#include <netdb.h>

struct str_set {
	size_t mask;
	struct str slots[]; /* open addressing; p == NULL is free */
};

static int parse_int(int64_t *out, struct str text, struct err *e)
{
	struct str rest = text, whole;
	uint64_t u;

	if (rest.n && rest.p[0] == '+')
		rest = str_of(rest.p + 1, rest.n - 1);
	if (str_to_i64(rest, out))
		return 0;
	if (str_to_u64(rest, &u)) {
		/* Past 2^63: only ever compared for equality with fields that hold such bits. */
		*out = (int64_t)u;
		return 0;
	}
	/* As upstream a fraction is read and left out. */
	whole = str_cut(&rest, '.');
	if (rest.p && str_to_i64(whole, out))
		return 0;
	return err_set(e, ERR_CONFIG, "\"%.*s\" is not a number", STR_ARG(text));
}

static int parse_bool(int64_t *out, struct str text, struct err *e)
{
	if (!str_eqz(text, "true") && !str_eqz(text, "false"))
		return err_set(e, ERR_CONFIG, "\"%.*s\" is neither true nor false", STR_ARG(text));
	*out = text.p[0] == 't';
	return 0;
}

static int parse_port(int64_t *out, struct str text, struct err *e)
{
	char name[64], buf[2048];
	struct servent service, *found = NULL;
	uint64_t port;

	if (str_to_u64(text, &port) && port <= UINT16_MAX) {
		*out = (int64_t)port;
		return 0;
	}
	if (text.n && text.n < sizeof(name)) {
		memcpy(name, text.p, text.n);
		name[text.n] = '\0';
		getservbyname_r(name, NULL, &service, buf, sizeof(buf), &found);
	}
	if (!found)
		return err_set(
			e, ERR_CONFIG, "\"%.*s\" is neither a port nor a service", STR_ARG(text));
	*out = ntohs((uint16_t)found->s_port);
	return 0;
}

static bool parse_ip(struct ip *out, struct str text)
{
	char z[INET6_ADDRSTRLEN + 1];

	if (!text.n || text.n >= sizeof(z))
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	*out = (struct ip){ .family = EVENT_AF_INET };
	if (inet_pton(AF_INET, z, out->addr) == 1)
		return true;
	out->family = EVENT_AF_INET6;
	return inet_pton(AF_INET6, z, out->addr) == 1;
}

static int parse_net(struct net *out, struct str text, struct err *e)
{
	struct str rest = text, addr = str_cut(&rest, '/');
	uint64_t bits, most;

	if (!parse_ip(&out->ip, addr))
		return err_set(e, ERR_CONFIG, "\"%.*s\" is neither an address nor a network",
			STR_ARG(text));
	most = out->ip.family == EVENT_AF_INET ? 32 : 128;
	bits = most;
	if (rest.p && (!str_to_u64(rest, &bits) || bits > most))
		return err_set(e, ERR_CONFIG, "\"%.*s\": the prefix must be 0 to %u", STR_ARG(text),
			(unsigned int)most);
	out->bits = (uint8_t)bits;
	return 0;
}

int operand_parse(union operand *out, enum field_type type, struct str text, struct err *e)
{
	switch (type) {
	case FIELD_STR:
		out->s = text;
		return 0;
	case FIELD_BOOL:
		return parse_bool(&out->i, text, e);
	case FIELD_PORT:
		return parse_port(&out->i, text, e);
	case FIELD_IP:
		if (parse_ip(&out->ip, text))
			return 0;
		return err_set(e, ERR_CONFIG, "\"%.*s\" is not an address%s", STR_ARG(text),
			text.n && memchr(text.p, '/', text.n)
				? "; networks are compared with fd.net, fd.snet and the like"
				: "");
	case FIELD_NET:
		return parse_net(&out->net, text, e);
	default:
		return parse_int(&out->i, text, e);
	}
}

static bool op_fits(enum op op, enum field_type type)
{
	if (op == OP_EXISTS || op == OP_EQ || op == OP_NE || op == OP_IN || op == OP_INTERSECTS)
		return true;
	if (type == FIELD_STR)
		return op != OP_BCONTAINS && op != OP_BSTARTSWITH;
	return op_kind(op) == OP_NUMERIC && type != FIELD_BOOL && type != FIELD_IP &&
	       type != FIELD_NET;
}

int operand_check_op(enum op op, enum field_type type, bool list, struct err *e)
{
	if (list && op != OP_EXISTS && op != OP_IN && op != OP_INTERSECTS)
		return err_set(e, ERR_CONFIG, "operator %s cannot be used on a list", op_name(op));
	if (!op_fits(op, type))
		return err_set(e, ERR_CONFIG, "operator %s cannot be used on a field of type %s",
			op_name(op), field_type_name(type));
	return 0;
}

static int kind_of(enum field_type t)
{
	static const int kinds[FIELD_TYPE_N] = {
		[FIELD_STR] = 0,
		[FIELD_INT] = 1,
		[FIELD_BOOL] = 2,
		[FIELD_IP] = 3,
		[FIELD_NET] = 3,
		[FIELD_PORT] = 1,
		[FIELD_ABSTIME] = 1,
		[FIELD_RELTIME] = 1,
	};

	return kinds[t];
}

bool operand_same_kind(enum field_type a, enum field_type b)
{
	return kind_of(a) == kind_of(b);
}

static bool compare_order(enum op op, int order)
{
	switch (op) {
	case OP_NE:
		return order != 0;
	case OP_LT:
		return order < 0;
	case OP_LE:
		return order <= 0;
	case OP_GT:
		return order > 0;
	case OP_GE:
		return order >= 0;
	default:
		return order == 0;
	}
}

static bool compare_str(enum op op, struct str left, struct str right)
{
	switch (op) {
	case OP_EQ:
	case OP_IN:
	case OP_INTERSECTS:
		return str_eq(left, right);
	case OP_NE:
		return !str_eq(left, right);
	case OP_CONTAINS:
		return str_contains(left, right);
	case OP_ICONTAINS:
		return str_icontains(left, right);
	case OP_STARTSWITH:
		return str_starts(left, right);
	case OP_ENDSWITH:
		return str_ends(left, right);
	case OP_GLOB:
	case OP_IGLOB:
		return glob_match(right, left, op == OP_IGLOB);
	case OP_PMATCH:
		return glob_path_prefix(right, left);
	default:
		return compare_order(op, str_cmp(left, right));
	}
}

static bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family &&
	       memcmp(a->addr, b->addr, a->family == EVENT_AF_INET ? 4 : 16) == 0;
}

static bool in_net(const struct ip *ip, const struct net *net)
{
	size_t whole = net->bits / 8;
	unsigned int rest = net->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (ip->family != net->ip.family || memcmp(ip->addr, net->ip.addr, whole) != 0)
		return false;
	return !rest || ((ip->addr[whole] ^ net->ip.addr[whole]) & mask) == 0;
}

bool operand_compare(
	enum op op, enum field_type type, const union atom *left, const union operand *right)
{
	switch (type) {
	case FIELD_STR:
		return compare_str(op, left->s, right->s);
	case FIELD_IP:
		return ip_equal(&left->ip, &right->ip) != (op == OP_NE);
	case FIELD_NET:
		return in_net(&left->ip, &right->net) != (op == OP_NE);
	default:
		return compare_order(op, (left->i > right->i) - (left->i < right->i));
	}
}

static size_t find_slot(const struct str_set *set, struct str s)
{
	size_t i = hash_quick(s.p, s.n, 0) & set->mask;

	while (set->slots[i].p && !str_eq(set->slots[i], s))
		i = (i + 1) & set->mask;
	return i;
}

struct str_set *str_set_new(struct arena *a, const union operand *items, size_t n)
{
	size_t cap = 4;
	struct str_set *set;

	while (cap < n * 2)
		cap *= 2;
	set = arena_alloc(a, sizeof(*set) + cap * sizeof(set->slots[0]));
	if (!set)
		return NULL;
	set->mask = cap - 1;
	for (size_t i = 0; i < n; i++)
		set->slots[find_slot(set, items[i].s)] = items[i].s;
	return set;
}

bool str_set_has(const struct str_set *set, struct str s)
{
	return set->slots[find_slot(set, s)].p != NULL;
}
