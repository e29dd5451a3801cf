#include "collector/syscall/resolver.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "base/vec.h"
#include "collector/runtime/runtime.h"

#include <pthread.h>

#define RESOLVER_MAX_WAITING    4096
#define RESOLVER_FIRST_RETRY_NS 4000000u /* doubled each time */
#define RESOLVER_LAST_RETRY_NS  256000000u

struct question {
	char id[CONTAINER_ID_LEN + 1];
	enum container_runtime runtime;
	uint64_t give_up_ns, next_ns, step_ns;
};

struct resolver {
	struct runtime *runtime;
	uint64_t patience_ns;
	void (*done)(void *ctx);
	void *ctx;
	struct queue *questions, *answers;
	VEC(struct question *) retry;
	pthread_t thread;
	bool running;
};

/* false: nobody takes the answers at the moment. */
static bool answer(struct resolver *r, struct container *c)
{
	if (!queue_push(r->answers, c, QUEUE_VITAL)) {
		container_free(c);
		return false;
	}
	r->done(r->ctx);
	return true;
}

static bool later(struct question *q, uint64_t now)
{
	q->next_ns = now + q->step_ns;
	q->step_ns = q->step_ns < RESOLVER_LAST_RETRY_NS ? q->step_ns * 2 : q->step_ns;
	return false;
}

/* true when the question is dealt with. */
static bool try_question(struct resolver *r, struct question *q, uint64_t now)
{
	struct container *c = NULL;
	struct err e = { 0 };
	int rc = runtime_lookup(r->runtime, q->id, q->runtime, &c, &e);

	if (rc > 0)
		return answer(r, c) || later(q, now);
	if (now < q->give_up_ns)
		return later(q, now);
	if (rc < 0)
		log_warn("resolver", "container %.12s: %s", q->id, e.msg);
	c = container_new_bare(str_from(q->id), q->runtime, CONTAINER_UNKNOWN);
	return answer(r, c) || later(q, now);
}

static int next_timeout_ms(const struct resolver *r, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < r->retry.n; i++)
		next = r->retry.p[i]->next_ns < next ? r->retry.p[i]->next_ns : next;
	if (next == UINT64_MAX)
		return -1;
	return next <= now ? 0 : (int)((next - now) / 1000000u) + 1;
}

static void retry_due(struct resolver *r, uint64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->retry.n; i++) {
		struct question *q = r->retry.p[i];
		if (q->next_ns <= now && try_question(r, q, now))
			free(q);
		else
			r->retry.p[kept++] = q;
	}
	r->retry.n = kept;
}

static void *resolver_main(void *arg)
{
	struct resolver *r = arg;
	void *item;

	pthread_setname_np(pthread_self(), "hw-resolver");
	while (!queue_closed(r->questions)) {
		size_t n = queue_pop(r->questions, &item, 1, next_timeout_ms(r, clock_mono_ns()));
		uint64_t now = clock_mono_ns();
		if (n) {
			struct question *q = item;
			q->give_up_ns = now + r->patience_ns;
			q->step_ns = RESOLVER_FIRST_RETRY_NS;
			if (try_question(r, q, now))
				free(q);
			else
				vec_push(&r->retry, q);
		}
		retry_due(r, clock_mono_ns());
	}
	return NULL;
}

int resolver_open(struct resolver **out, struct runtime *runtime, uint64_t patience_ns,
	void (*done)(void *ctx), void *ctx, struct err *e)
{
	AUTO(resolver_close) struct resolver *r = xcalloc(1, sizeof(*r));

	r->runtime = runtime;
	r->patience_ns = patience_ns;
	r->done = done;
	r->ctx = ctx;
	r->questions = queue_new(RESOLVER_MAX_WAITING, 0);
	r->answers = queue_new(RESOLVER_MAX_WAITING, 0);
	if (pthread_create(&r->thread, NULL, resolver_main, r))
		return err_set(e, ERR_SYS, "start the resolver thread");
	r->running = true;
	*out = TAKE(r);
	return 0;
}

static void free_container(void *p)
{
	container_free(p);
}

void resolver_close(struct resolver *r)
{
	if (!r)
		return;
	if (r->questions)
		queue_close(r->questions);
	if (r->running)
		pthread_join(r->thread, NULL);
	for (size_t i = 0; i < r->retry.n; i++)
		free(r->retry.p[i]);
	vec_fini(&r->retry);
	if (r->questions)
		queue_free(r->questions, free);
	if (r->answers)
		queue_free(r->answers, free_container);
	free(r);
}

bool resolver_ask(struct resolver *r, const char *id, enum container_runtime runtime)
{
	struct question *q = xcalloc(1, sizeof(*q));

	memccpy(q->id, id, 0, sizeof(q->id) - 1);
	q->runtime = runtime;
	if (queue_push(r->questions, q, QUEUE_BULK))
		return true;
	free(q);
	return false;
}

struct container *resolver_take(struct resolver *r)
{
	void *item;

	return queue_pop(r->answers, &item, 1, 0) ? item : NULL;
}
