// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Asks the kernel what no socket shows: what its own functions return. Each case is one line in
 * the log, "oracle: NAME = RESULT"; NAME is unique. Loading fails with -ECANCELED on purpose when
 * all is done, so that nothing stays.
 */
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <linux/srcu.h>
#include <net/netlink.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/genetlink.h>

#define SAY(name, fmt, ...) pr_info("oracle: " name " = " fmt "\n", ##__VA_ARGS__)
#define ASK(name, fmt, expr) SAY(name, fmt, expr)
#define UNIT 23
#define OTHER 24

/* ---- notifier chains: blocks that note their letter and answer as told ---- */

struct block {
	struct notifier_block nb;
	char letter;
	int answer;
};

static char heard[64];
static int heard_len;
static unsigned long last_val;

static int note(struct notifier_block *nb, unsigned long val, void *v)
{
	struct block *b = container_of(nb, struct block, nb);

	last_val = val;
	if (heard_len < (int)sizeof(heard) - 3) {
		heard[heard_len++] = b->letter;
		if (v)
			heard[heard_len++] = '0' + (val % 10);
		heard[heard_len] = 0;
	}
	return b->answer;
}

static const char *take(void)
{
	static char out[64];

	strscpy(out, heard_len ? heard : "-", sizeof(out));
	heard_len = 0;
	heard[0] = 0;
	return out;
}

#define BLOCK(l, p, a) { .nb = { .notifier_call = note, .priority = (p) }, .letter = (l), .answer = (a) }

static RAW_NOTIFIER_HEAD(raw);
static ATOMIC_NOTIFIER_HEAD(atom);
static BLOCKING_NOTIFIER_HEAD(blk);
static struct srcu_notifier_head src;

static struct block A, B, C, D;

static void reset(int pa, int pb, int pc, int pd)
{
	A = (struct block)BLOCK('a', pa, NOTIFY_DONE);
	B = (struct block)BLOCK('b', pb, NOTIFY_DONE);
	C = (struct block)BLOCK('c', pc, NOTIFY_DONE);
	D = (struct block)BLOCK('d', pd, NOTIFY_DONE);
}

/* One set of questions, asked of each type of chain. */
#define TYPE_CASES(T, H, reg, unreg, call)                                              \
	do {                                                                            \
		int r;                                                                  \
		reset(0, 0, 0, 0);                                                      \
		r = call(H, 1, NULL);                                                   \
		SAY(T " empty call", "%d %s", r, take());                               \
		r = unreg(H, &A.nb);                                                    \
		SAY(T " unregister from an empty chain", "%d", r);                      \
		r = reg(H, &A.nb);                                                      \
		SAY(T " register", "%d", r);                                            \
		r = reg(H, &A.nb);                                                      \
		SAY(T " register twice", "%d", r);                                      \
		r = reg(H, &B.nb);                                                      \
		SAY(T " register a second", "%d", r);                                   \
		r = reg(H, &C.nb);                                                      \
		r = call(H, 2, &r);                                                     \
		SAY(T " equals in order", "%d %s", r, take());                          \
		r = reg(H, &B.nb);                                                      \
		SAY(T " register one in the middle twice", "%d", r);                    \
		r = unreg(H, &D.nb);                                                    \
		SAY(T " unregister a stranger", "%d", r);                               \
		B.answer = NOTIFY_OK;                                                   \
		r = call(H, 3, &r);                                                     \
		SAY(T " the last answer counts", "%d %s", r, take());                   \
		C.answer = 7;                                                           \
		r = call(H, 3, &r);                                                     \
		SAY(T " any number is an answer", "%d %s", r, take());                  \
		B.answer = NOTIFY_STOP;                                                 \
		r = call(H, 3, &r);                                                     \
		SAY(T " stop", "%d %s", r, take());                                     \
		B.answer = NOTIFY_BAD;                                                  \
		r = call(H, 3, &r);                                                     \
		SAY(T " bad", "%d %s errno %d", r, take(), notifier_to_errno(r));       \
		B.answer = notifier_from_errno(-ENOMEM);                                \
		r = call(H, 3, &r);                                                     \
		SAY(T " an errno", "%d %s errno %d", r, take(), notifier_to_errno(r));  \
		B.answer = -5;                                                          \
		r = call(H, 3, &r);                                                     \
		SAY(T " a negative answer", "%d %s", r, take());                        \
		A.answer = NOTIFY_STOP_MASK;                                            \
		r = call(H, 3, &r);                                                     \
		SAY(T " the stop bit alone", "%d %s", r, take());                       \
		A.answer = NOTIFY_DONE;                                                 \
		r = unreg(H, &B.nb);                                                    \
		SAY(T " unregister from the middle", "%d", r);                          \
		r = call(H, 3, &r);                                                     \
		SAY(T " the others stay", "%d %s", r, take());                          \
		r = unreg(H, &B.nb);                                                    \
		SAY(T " unregister twice", "%d", r);                                    \
		r = unreg(H, &A.nb);                                                    \
		r = call(H, 3, &r);                                                     \
		SAY(T " without the first", "%d %s", r, take());                        \
		unreg(H, &C.nb);                                                        \
		r = call(H, 3, &r);                                                     \
		SAY(T " empty again", "%d %s", r, take());                              \
		reset(0, 10, -10, 5);                                                   \
		reg(H, &A.nb);                                                          \
		reg(H, &B.nb);                                                          \
		reg(H, &C.nb);                                                          \
		reg(H, &D.nb);                                                          \
		r = call(H, 4, &r);                                                     \
		SAY(T " higher priority first", "%d %s", r, take());                    \
		unreg(H, &A.nb);                                                        \
		A.nb.priority = INT_MAX;                                                \
		reg(H, &A.nb);                                                          \
		unreg(H, &C.nb);                                                        \
		C.nb.priority = INT_MIN;                                                \
		reg(H, &C.nb);                                                          \
		r = call(H, 4, &r);                                                     \
		SAY(T " extreme priorities", "%d %s", r, take());                       \
		unreg(H, &D.nb);                                                        \
		D.nb.priority = 10;                                                     \
		reg(H, &D.nb);                                                          \
		r = call(H, 4, &r);                                                     \
		SAY(T " an equal comes behind", "%d %s", r, take());                    \
		D.answer = NOTIFY_STOP;                                                 \
		r = call(H, 4, &r);                                                     \
		SAY(T " stop in the middle", "%d %s", r, take());                       \
		r = call(H, 0, &r);                                                     \
		SAY(T " event 0", "%d %s", r, take());                                  \
		r = call(H, ULONG_MAX, NULL);                                           \
		SAY(T " the largest event", "%d %d", r, last_val == ULONG_MAX);         \
		take();                                                                 \
		unreg(H, &A.nb);                                                        \
		unreg(H, &B.nb);                                                        \
		unreg(H, &C.nb);                                                        \
		unreg(H, &D.nb);                                                        \
	} while (0)

#define UNIQUE_CASES(T, H, reg, unreg, unique)                                          \
	do {                                                                            \
		int r;                                                                  \
		reset(1, 1, 2, 1);                                                      \
		r = unique(H, &A.nb);                                                   \
		SAY(T " unique priority on an empty chain", "%d", r);                   \
		r = unique(H, &B.nb);                                                   \
		SAY(T " unique priority that is taken", "%d", r);                       \
		r = unique(H, &A.nb);                                                   \
		SAY(T " unique priority twice", "%d", r);                               \
		r = unique(H, &C.nb);                                                   \
		SAY(T " another unique priority", "%d", r);                             \
		r = reg(H, &D.nb);                                                      \
		SAY(T " plain beside unique", "%d", r);                                 \
		unreg(H, &A.nb);                                                        \
		r = unique(H, &B.nb);                                                   \
		SAY(T " unique behind a plain one", "%d", r);                           \
		unreg(H, &B.nb);                                                        \
		unreg(H, &C.nb);                                                        \
		unreg(H, &D.nb);                                                        \
	} while (0)

#define ROBUST_CASES(T, H, reg, unreg, robust)                                          \
	do {                                                                            \
		int r;                                                                  \
		reset(0, 0, 0, 0);                                                      \
		r = robust(H, 1, 2, &r);                                                \
		SAY(T " robust: nobody", "%d %s", r, take());                           \
		reg(H, &A.nb);                                                          \
		reg(H, &B.nb);                                                          \
		reg(H, &C.nb);                                                          \
		r = robust(H, 1, 2, &r);                                                \
		SAY(T " robust: nobody refuses", "%d %s", r, take());                   \
		C.answer = NOTIFY_BAD;                                                  \
		r = robust(H, 1, 2, &r);                                                \
		SAY(T " robust: the last refuses", "%d %s", r, take());                 \
		B.answer = notifier_from_errno(-EBUSY);                                 \
		r = robust(H, 1, 2, &r);                                                \
		SAY(T " robust: the second refuses", "%d %s", r, take());               \
		A.answer = NOTIFY_STOP;                                                 \
		r = robust(H, 1, 2, &r);                                                \
		SAY(T " robust: the first stops", "%d %s", r, take());                  \
		A.answer = NOTIFY_OK;                                                   \
		B.answer = NOTIFY_STOP;                                                 \
		r = robust(H, 1, 2, &r);                                                \
		SAY(T " robust: a stop is a refusal", "%d %s", r, take());              \
		unreg(H, &A.nb);                                                        \
		unreg(H, &B.nb);                                                        \
		unreg(H, &C.nb);                                                        \
	} while (0)

/* ---- a block that changes the chain from its own call: raw chains alone allow it ---- */

static int leave(struct notifier_block *nb, unsigned long val, void *v)
{
	int r = note(nb, val, v);

	SAY("raw unregister from one's own call", "%d", raw_notifier_chain_unregister(&raw, nb));
	return r;
}

static int drop_next(struct notifier_block *nb, unsigned long val, void *v)
{
	int r = note(nb, val, v);

	SAY("raw unregister the next one", "%d", raw_notifier_chain_unregister(&raw, &B.nb));
	return r;
}

static int add_next(struct notifier_block *nb, unsigned long val, void *v)
{
	int r = note(nb, val, v);

	SAY("raw register one right behind", "%d", raw_notifier_chain_register(&raw, &D.nb));
	return r;
}

static int again(struct notifier_block *nb, unsigned long val, void *v)
{
	int r = note(nb, val, v);

	if (val > 1)
		raw_notifier_call_chain(&raw, val - 1, v);
	return r;
}

static void raw_changes(void)
{
	int r;

	reset(0, 0, 0, 0);
	A.nb.notifier_call = leave;
	raw_notifier_chain_register(&raw, &A.nb);
	raw_notifier_chain_register(&raw, &B.nb);
	r = raw_notifier_call_chain(&raw, 1, &r);
	SAY("raw: who left in its call", "%d %s", r, take());
	r = raw_notifier_call_chain(&raw, 1, &r);
	SAY("raw: who left is gone", "%d %s", r, take());
	raw_notifier_chain_unregister(&raw, &B.nb);

	reset(0, 0, 0, 0);
	A.nb.notifier_call = drop_next;
	raw_notifier_chain_register(&raw, &A.nb);
	raw_notifier_chain_register(&raw, &B.nb);
	raw_notifier_chain_register(&raw, &C.nb);
	r = raw_notifier_call_chain(&raw, 1, &r);
	SAY("raw: the next one was read before", "%d %s", r, take());
	r = raw_notifier_call_chain(&raw, 1, &r);
	SAY("raw: dropped once, ENOENT then", "%d %s", r, take());
	raw_notifier_chain_unregister(&raw, &A.nb);
	raw_notifier_chain_unregister(&raw, &C.nb);

	reset(1, 0, 0, 1);
	A.nb.notifier_call = add_next;
	raw_notifier_chain_register(&raw, &A.nb);
	raw_notifier_chain_register(&raw, &B.nb);
	r = raw_notifier_call_chain(&raw, 1, &r);
	SAY("raw: one put in right behind is not seen", "%d %s", r, take());
	r = raw_notifier_call_chain(&raw, 1, &r);
	SAY("raw: and is there the next time", "%d %s", r, take());
	raw_notifier_chain_unregister(&raw, &A.nb);
	raw_notifier_chain_unregister(&raw, &B.nb);
	raw_notifier_chain_unregister(&raw, &D.nb);

	reset(0, 0, 0, 0);
	A.nb.notifier_call = again;
	raw_notifier_chain_register(&raw, &A.nb);
	raw_notifier_chain_register(&raw, &B.nb);
	r = raw_notifier_call_chain(&raw, 3, &r);
	SAY("raw: a call from a call", "%d %s", r, take());
	raw_notifier_chain_unregister(&raw, &A.nb);
	raw_notifier_chain_unregister(&raw, &B.nb);

	/* the priority is raised while it is registered */
	reset(0, 5, 0, 0);
	raw_notifier_chain_register(&raw, &B.nb);
	raw_notifier_chain_register(&raw, &A.nb);
	A.nb.priority = 3;
	SAY("raw: twice, its priority raised but not beyond the first", "%d",
	    raw_notifier_chain_register(&raw, &A.nb));
	raw_notifier_chain_unregister(&raw, &A.nb);
	raw_notifier_chain_unregister(&raw, &B.nb);
}

static void errnos(void)
{
	static const int es[] = { 0, -1, -2, -11, -12, -16, -17, -22, -95, -111, -4095 };
	static const int rs[] = { 0, 1, 2, 0x8000, 0x8001, 0x8002, 0x8003, 0x800d, 0x8011, 0x8017, 7, 0x7fff, 0xffff };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(es); i++)
		pr_info("oracle: notifier_from_errno(%d) = %d\n", es[i], notifier_from_errno(es[i]));
	for (i = 0; i < ARRAY_SIZE(rs); i++)
		pr_info("oracle: notifier_to_errno(%d) = %d\n", rs[i], notifier_to_errno(rs[i]));
}

/* ---- kernel sockets ---- */

static int inputs, input_len;
static void input(struct sk_buff *skb)
{
	inputs++;
	input_len = skb->len;
}

static struct sk_buff *message(int payload)
{
	struct sk_buff *skb = nlmsg_new(payload, GFP_KERNEL);
	struct nlmsghdr *nlh = nlmsg_put(skb, 0, 0, 16, payload, 0);

	if (!nlh) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

static void kernel_sockets(void)
{
	struct netlink_kernel_cfg cfg = { .input = input, .groups = 3 };
	struct netlink_kernel_cfg none = { };
	struct sock *sk, *second, *other;

	ASK("create: unit 32", "%d", netlink_kernel_create(&init_net, 32, &cfg) != NULL);
	ASK("create: unit -1", "%d", netlink_kernel_create(&init_net, -1, &cfg) != NULL);
	sk = netlink_kernel_create(&init_net, UNIT, &cfg);
	SAY("create", "%d", sk != NULL);
	second = netlink_kernel_create(&init_net, UNIT, &cfg);
	SAY("create: the same unit again", "%d", second != NULL);
	ASK("create: NETLINK_ROUTE", "%d", netlink_kernel_create(&init_net, NETLINK_ROUTE, &cfg) != NULL);
	if (!sk)
		return;
	ASK("has_listeners: nobody", "%d", netlink_has_listeners(sk, 1));
	ASK("has_listeners: group 0", "%d", netlink_has_listeners(sk, 0));
	ASK("has_listeners: beyond the groups", "%d", netlink_has_listeners(sk, 100));
	ASK("unicast: nobody has the port, MSG_DONTWAIT", "%d", netlink_unicast(sk, message(8), 4711, MSG_DONTWAIT));
	ASK("unicast: nobody has the port, may wait", "%d", netlink_unicast(sk, message(8), 4711, 0));
	ASK("unicast: to the kernel itself", "%d", netlink_unicast(sk, message(8), 0, MSG_DONTWAIT));
	SAY("unicast: input ran in the call", "%d with %d bytes", inputs, input_len);
	ASK("nlmsg_unicast: nobody", "%d", nlmsg_unicast(sk, message(8), 4711));
	ASK("broadcast: nobody in group 1", "%d", netlink_broadcast(sk, message(8), 0, 1, GFP_KERNEL));
	ASK("broadcast: group 0", "%d", netlink_broadcast(sk, message(8), 0, 0, GFP_KERNEL));
	ASK("broadcast: group 100", "%d", netlink_broadcast(sk, message(8), 0, 100, GFP_KERNEL));
	ASK("nlmsg_multicast: nobody", "%d", nlmsg_multicast(sk, message(8), 0, 1, GFP_KERNEL));
	ASK("nlmsg_notify: nobody, no report", "%d", nlmsg_notify(sk, message(8), 0, 1, 0, GFP_KERNEL));
	ASK("nlmsg_notify: nobody, report to an absent port", "%d", nlmsg_notify(sk, message(8), 4711, 1, 1, GFP_KERNEL));
	ASK("nlmsg_notify: no group, no report", "%d", nlmsg_notify(sk, message(8), 4711, 0, 0, GFP_KERNEL));
	ASK("nlmsg_notify: no group, report to an absent port", "%d", nlmsg_notify(sk, message(8), 4711, 0, 1, GFP_KERNEL));
	ASK("set_err: nobody", "%d", netlink_set_err(sk, 0, 1, -ENOBUFS));
	other = netlink_kernel_create(&init_net, OTHER, &none);
	SAY("create: without input", "%d", other != NULL);
	if (other) {
		ASK("unicast: to a kernel socket without input", "%d", netlink_unicast(other, message(8), 0, MSG_DONTWAIT));
		netlink_kernel_release(other);
	}
	netlink_kernel_release(sk);
	sk = netlink_kernel_create(&init_net, UNIT, &cfg);
	SAY("create: again after its release", "%d", sk != NULL);
	if (sk)
		netlink_kernel_release(sk);
}

/* ---- messages ---- */

static void builders(void)
{
	struct sk_buff *skb = nlmsg_new(8, GFP_KERNEL);
	struct nlmsghdr *nlh;
	struct nlattr *nest;
	int room = skb_tailroom(skb);
	u8 big[64] = { };

	ASK("NLMSG_LENGTH(5)", "%d", (int)NLMSG_LENGTH(5));
	ASK("NLMSG_SPACE(5)", "%d", (int)NLMSG_SPACE(5));
	ASK("NLMSG_ALIGN(17)", "%d", (int)NLMSG_ALIGN(17));
	ASK("nla_total_size(5)", "%d", nla_total_size(5));
	ASK("nla_attr_size(5)", "%d", nla_attr_size(5));
	ASK("nla_padlen(5)", "%d", nla_padlen(5));
	ASK("nlmsg_total_size(5)", "%d", nlmsg_total_size(5));
	nlh = nlmsg_put(skb, 1, 2, 16, room, 3);
	SAY("nlmsg_put: more than there is", "%d length %d", nlh != NULL, (int)skb->len);
	nlh = nlmsg_put(skb, 1, 2, 16, 5, 3);
	SAY("nlmsg_put", "%d nlmsg_len %d length %d", nlh != NULL, nlh ? nlh->nlmsg_len : -1, (int)skb->len);
	SAY("nlmsg_put: header", "%d %d %d %d", nlh->nlmsg_type, nlh->nlmsg_flags, nlh->nlmsg_seq, nlh->nlmsg_pid);
	ASK("nlmsg_hdr is the first", "%d", nlmsg_hdr(skb) == nlh);
	ASK("nlmsg_len", "%d", nlmsg_len(nlh));
	nlmsg_end(skb, nlh);
	SAY("nlmsg_end", "%d", nlh->nlmsg_len);
	nlmsg_cancel(skb, nlh);
	SAY("nlmsg_cancel", "%d", (int)skb->len);
	kfree_skb(skb);

	skb = nlmsg_new(64, GFP_KERNEL);
	nlh = nlmsg_put(skb, 0, 0, 16, 0, 0);
	ASK("nla_put 5 bytes", "%d", nla_put(skb, 1, 5, big));
	SAY("nla_put: length", "%d", (int)skb->len);
	ASK("nla_put_u8", "%d", nla_put_u8(skb, 2, 7));
	ASK("nla_put_string", "%d", nla_put_string(skb, 3, "abc"));
	SAY("after a u8 and a string: length", "%d", (int)skb->len);
	ASK("nla_put_flag", "%d", nla_put_flag(skb, 4));
	nest = nla_nest_start(skb, 5);
	SAY("nla_nest_start: type", "%d", nest->nla_type);
	nla_put_u32(skb, 1, 9);
	nla_nest_end(skb, nest);
	SAY("nla_nest_end: length", "%d", nest->nla_len);
	nest = nla_nest_start_noflag(skb, 6);
	SAY("nla_nest_start_noflag: type", "%d", nest->nla_type);
	nla_nest_cancel(skb, nest);
	SAY("nla_nest_cancel: length", "%d", (int)skb->len);
	ASK("nla_put without room", "%d", nla_put(skb, 7, skb_tailroom(skb), big));
	SAY("nla_put without room: length", "%d", (int)skb->len);
	kfree_skb(skb);
}

/* ---- netlink_rcv_skb: which messages reach the callback ---- */

static int seen, seen_types;
static int answer_next;
static int on_message(struct sk_buff *skb, struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	seen++;
	seen_types = seen_types * 100 + nlh->nlmsg_type;
	return answer_next;
}

static struct nlmsghdr *header(struct sk_buff *skb, int len, int type, int flags)
{
	struct nlmsghdr *nlh = skb_put_zero(skb, NLMSG_HDRLEN);

	nlh->nlmsg_len = len;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	return nlh;
}

#define RCV(name, ...)                                                                  \
	do {                                                                            \
		struct sk_buff *skb = alloc_skb(512, GFP_KERNEL);                       \
		int r;                                                                  \
		seen = seen_types = 0;                                                  \
		__VA_ARGS__;                                                            \
		r = netlink_rcv_skb(skb, on_message);                                   \
		SAY("rcv_skb: " name, "%d seen %d types %d", r, seen, seen_types);      \
		kfree_skb(skb);                                                         \
	} while (0)

static void rcv(void)
{
	int R = NLM_F_REQUEST;

	answer_next = 0;
	RCV("nothing", (void)0);
	RCV("8 bytes", skb_put_zero(skb, 8));
	RCV("one request", header(skb, 16, 16, R));
	RCV("two requests", header(skb, 16, 16, R); header(skb, 16, 17, R));
	RCV("three, the second a control message", header(skb, 16, 16, R); header(skb, 16, 3, R); header(skb, 16, 18, R));
	RCV("no request flag", header(skb, 16, 16, 0); header(skb, 16, 17, R));
	RCV("type 15", header(skb, 16, 15, R));
	RCV("type 0", header(skb, 16, 0, R));
	RCV("length 15", header(skb, 15, 16, R); header(skb, 16, 17, R));
	RCV("length 0", header(skb, 0, 16, R));
	RCV("length beyond the datagram", header(skb, 17, 16, R));
	RCV("the second beyond the datagram", header(skb, 16, 16, R); header(skb, 100, 17, R));
	RCV("unaligned length, the next behind the padding", header(skb, 17, 16, R); skb_put_zero(skb, 4); header(skb, 16, 17, R));
	RCV("unaligned length at the end", header(skb, 18, 16, R); skb_put_zero(skb, 2));
	RCV("trailing zeros", header(skb, 16, 16, R); skb_put_zero(skb, 32));
	RCV("trailing 8 bytes", header(skb, 16, 16, R); skb_put_zero(skb, 8));
}

/* ---- connector ---- */

static int cn_calls;
static void cn_called(struct cn_msg *msg, struct netlink_skb_parms *nsp)
{
	cn_calls++;
}

static void connector(void)
{
	struct cb_id one = { 0x1234, 1 }, two = { 0x1234, 2 }, absent = { 0x7777, 7 };
	struct { struct cn_msg m; u8 data[4]; } msg = { .m = { .id = one, .len = 4 } };

	ASK("cn_add_callback", "%d", cn_add_callback(&one, "nlkit-one", cn_called));
	ASK("cn_add_callback: the same id", "%d", cn_add_callback(&one, "nlkit-other", cn_called));
	ASK("cn_add_callback: another val", "%d", cn_add_callback(&two, "nlkit-two", cn_called));
	ASK("cn_netlink_send: nobody in the id's group", "%d", cn_netlink_send(&msg.m, 0, 0, GFP_KERNEL));
	ASK("cn_netlink_send: nobody in group 5", "%d", cn_netlink_send(&msg.m, 0, 5, GFP_KERNEL));
	ASK("cn_netlink_send: an absent port", "%d", cn_netlink_send(&msg.m, 4711, 0, GFP_KERNEL));
	ASK("cn_netlink_send: an absent port and a group", "%d", cn_netlink_send(&msg.m, 4711, 5, GFP_KERNEL));
	msg.m.id = absent;
	ASK("cn_netlink_send: an unknown id", "%d", cn_netlink_send(&msg.m, 0, 0, GFP_KERNEL));
	ASK("cn_netlink_send: an unknown id to a group", "%d", cn_netlink_send(&msg.m, 0, 5, GFP_KERNEL));
	ASK("cn_netlink_send: an unknown id to an absent port", "%d", cn_netlink_send(&msg.m, 4711, 0, GFP_KERNEL));
	cn_del_callback(&absent);
	cn_del_callback(&one);
	ASK("cn_add_callback: free again", "%d", cn_add_callback(&one, "nlkit-one", cn_called));
	cn_del_callback(&one);
	cn_del_callback(&two);
	msg.m.id = one;
	ASK("cn_netlink_send: an id that is gone", "%d", cn_netlink_send(&msg.m, 0, 0, GFP_KERNEL));
	SAY("connector: callbacks called meanwhile", "%d", cn_calls);
}

/* ---- the netlink notifier, with sockets of a kernel thread's own ---- */

static char released[128];
static int on_release(struct notifier_block *nb, unsigned long event, void *data)
{
	struct netlink_notify *n = data;

	if (n->protocol == NETLINK_USERSOCK || n->protocol == NETLINK_GENERIC)
		snprintf(released + strlen(released), sizeof(released) - strlen(released), "[%lu %d %u]",
			 event, n->protocol, n->portid);
	return NOTIFY_DONE;
}
static struct notifier_block release_block = { .notifier_call = on_release };

static struct socket *open_socket(int protocol, int portid, u32 groups)
{
	struct socket *sock;
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_pid = portid, .nl_groups = groups };
	int r = sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW, protocol, &sock);

	if (r < 0)
		return NULL;
	if (portid || groups) {
		r = kernel_bind(sock, (struct sockaddr *)&addr, sizeof(addr));
		if (r < 0)
			pr_info("oracle: bind failed = %d\n", r);
	}
	return sock;
}

#define RELEASED(name)                                  \
	do {                                            \
		SAY(name, "%s", released[0] ? released : "nothing"); \
		released[0] = 0;                        \
	} while (0)

static int bind_to(struct socket *sock, int portid, u32 groups)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_pid = portid, .nl_groups = groups };

	return kernel_bind(sock, (struct sockaddr *)&addr, sizeof(addr));
}

static int send_to(struct socket *sock, int portid, u32 groups, int len)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_pid = portid, .nl_groups = groups };
	struct msghdr msg = { .msg_name = &addr, .msg_namelen = sizeof(addr), .msg_flags = MSG_DONTWAIT };
	static u8 data[256];
	struct kvec vec = { .iov_base = data, .iov_len = len };

	return kernel_sendmsg(sock, &msg, &vec, 1, len);
}

static int receive(struct socket *sock, int len)
{
	struct msghdr msg = { };
	static u8 data[256];
	struct kvec vec = { .iov_base = data, .iov_len = len };

	return kernel_recvmsg(sock, &msg, &vec, 1, len, MSG_DONTWAIT);
}

static void notifier(void)
{
	struct socket *one, *two;

	ASK("netlink_register_notifier", "%d", netlink_register_notifier(&release_block));
	ASK("netlink_register_notifier twice", "%d", netlink_register_notifier(&release_block));
	one = open_socket(NETLINK_USERSOCK, 0, 0);
	sock_release(one);
	RELEASED("URELEASE: a socket that was never bound");
	one = open_socket(NETLINK_USERSOCK, 77001, 0);
	sock_release(one);
	RELEASED("URELEASE: a bound socket");
	one = open_socket(NETLINK_GENERIC, 77002, 0);
	sock_release(one);
	RELEASED("URELEASE: of another protocol");
	one = open_socket(NETLINK_USERSOCK, 77003, 0);
	ASK("bind: a port that is taken", "%d", ({ two = open_socket(NETLINK_USERSOCK, 0, 0); bind_to(two, 77003, 0); }));
	sock_release(two);
	RELEASED("URELEASE: a bind that failed");
	ASK("bind: another port", "%d", bind_to(one, 77004, 0));
	ASK("bind: the same port", "%d", bind_to(one, 77003, 0));
	sock_release(one);
	RELEASED("URELEASE: once for one port");
	one = open_socket(NETLINK_USERSOCK, 77003, 0);
	SAY("bind: a released port", "%d", one != NULL);
	sock_release(one);
	RELEASED("URELEASE: its next holder");
	ASK("netlink_unregister_notifier", "%d", netlink_unregister_notifier(&release_block));
	ASK("netlink_unregister_notifier twice", "%d", netlink_unregister_notifier(&release_block));
	one = open_socket(NETLINK_USERSOCK, 77005, 0);
	sock_release(one);
	RELEASED("URELEASE: nobody listens");
}

/* ---- what the kernel's side hears of deliveries ---- */

static int binds, unbinds;
static char bound[64];
static int on_bind(struct net *net, int group)
{
	binds++;
	snprintf(bound + strlen(bound), sizeof(bound) - strlen(bound), "+%d", group);
	return group == 3 ? -EACCES : 0;
}
static void on_unbind(struct net *net, int group)
{
	unbinds++;
	snprintf(bound + strlen(bound), sizeof(bound) - strlen(bound), "-%d", group);
}
#define BOUND(name, r)                                                   \
	do {                                                             \
		int got = (r);                                           \
		SAY(name, "%d %s", got, bound[0] ? bound : "nothing");   \
		bound[0] = 0;                                            \
	} while (0)

static void deliveries(void)
{
	struct netlink_kernel_cfg cfg = { .input = input, .groups = 40, .bind = on_bind, .unbind = on_unbind };
	struct sock *sk = netlink_kernel_create(&init_net, UNIT, &cfg);
	struct socket *one, *two;
	int i, r = 0;

	if (!sk)
		return;
	one = open_socket(UNIT, 0, 0);
	two = open_socket(UNIT, 0, 0);
	if (!one || !two)
		return;
	BOUND("bind hook: groups 1 and 2", bind_to(one, 501, 3));
	BOUND("bind hook: groups 1 to 3, the third refuses", bind_to(two, 502, 7));
	BOUND("bind hook: port without groups", bind_to(two, 502, 0));
	BOUND("bind hook: again, with fewer", bind_to(one, 501, 1));
	BOUND("bind hook: group 2 by another", bind_to(two, 502, 2));
	ASK("has_listeners: group 1", "%d", netlink_has_listeners(sk, 1));
	ASK("has_listeners: group 2", "%d", netlink_has_listeners(sk, 2));
	ASK("has_listeners: group 3", "%d", netlink_has_listeners(sk, 3));
	ASK("unicast: to a port", "%d", netlink_unicast(sk, message(8), 501, MSG_DONTWAIT));
	ASK("receive", "%d", receive(one, 256));
	ASK("receive: nothing left", "%d", receive(one, 256));
	ASK("broadcast: group 1", "%d", netlink_broadcast(sk, message(8), 0, 1, GFP_KERNEL));
	ASK("receive: the member", "%d", receive(one, 256));
	ASK("receive: no member", "%d", receive(two, 256));
	ASK("broadcast: without the only member", "%d", netlink_broadcast(sk, message(8), 501, 1, GFP_KERNEL));
	ASK("nlmsg_notify: with report to a member", "%d", nlmsg_notify(sk, message(8), 501, 1, 1, GFP_KERNEL));
	ASK("receive: one copy", "%d", receive(one, 256));
	ASK("receive: no second copy", "%d", receive(one, 256));
	ASK("nlmsg_notify: without report", "%d", nlmsg_notify(sk, message(8), 501, 1, 0, GFP_KERNEL));
	ASK("receive: as a member", "%d", receive(one, 256));
	ASK("nlmsg_notify: no group, report", "%d", nlmsg_notify(sk, message(8), 502, 0, 1, GFP_KERNEL));
	ASK("receive: the report", "%d", receive(two, 256));
	ASK("set_err: ENOBUFS to group 1", "%d", netlink_set_err(sk, 0, 1, -ENOBUFS));
	ASK("receive: what was set", "%d", receive(one, 256));
	ASK("receive: once", "%d", receive(one, 256));
	ASK("set_err: not to that port", "%d", netlink_set_err(sk, 501, 1, -EIO));
	ASK("receive: spared", "%d", receive(one, 256));
	inputs = 0;
	ASK("send: to the kernel", "%d", send_to(one, 0, 0, 20));
	SAY("send: input ran", "%d with %d bytes", inputs, input_len);
	ASK("send: to an absent port", "%d", send_to(one, 999, 0, 20));
	ASK("send: to a peer", "%d", send_to(one, 502, 0, 20));
	ASK("receive: the peer's", "%d", receive(two, 256));
	ASK("send: to oneself", "%d", send_to(one, 501, 0, 20));
	ASK("receive: one's own", "%d", receive(one, 256));
	ASK("send: nothing", "%d", send_to(one, 0, 0, 0));
	ASK("send: to group 2 and the kernel", "%d", send_to(one, 0, 2, 24));
	ASK("receive: the group's", "%d", receive(two, 256));
	ASK("receive: cut", "%d", (send_to(one, 502, 0, 40), receive(two, 16)));
	ASK("receive: the rest is lost", "%d", receive(two, 256));

	/* the queue of a reader that does not read */
	for (i = 0; i < 10000; i++) {
		r = netlink_unicast(sk, message(1000), 501, MSG_DONTWAIT);
		if (r < 0)
			break;
	}
	SAY("unicast: a full queue", "%d", r);
	ASK("receive: the overrun first", "%d", receive(one, 256));
	ASK("receive: then what was queued", "%d", receive(one, 256) > 0);
	ASK("unicast: to a congested socket", "%d", netlink_unicast(sk, message(8), 501, MSG_DONTWAIT));
	ASK("broadcast: to a congested socket", "%d", netlink_broadcast(sk, message(8), 0, 1, GFP_KERNEL));
	while (receive(one, 256) > 0)
		;
	ASK("unicast: after it has read all", "%d", netlink_unicast(sk, message(8), 501, MSG_DONTWAIT));
	sock_release(two);
	BOUND("unbind hook: at close", 0);
	ASK("unicast: to a closed socket", "%d", netlink_unicast(sk, message(8), 502, MSG_DONTWAIT));
	ASK("has_listeners: its group", "%d", netlink_has_listeners(sk, 2));
	netlink_kernel_release(sk);
	ASK("send: the kernel's socket is gone", "%d", send_to(one, 0, 0, 20));
	ASK("receive: what came before", "%d", receive(one, 256));
	sock_release(one);
	ASK("open: a protocol that nobody serves", "%d", open_socket(UNIT, 0, 0) != NULL);
}

/* ---- generic netlink registration ---- */

static int do_nothing(struct sk_buff *skb, struct genl_info *info)
{
	return 0;
}

static void genetlink(void)
{
	static const struct genl_ops good[] = { { .cmd = 1, .doit = do_nothing } };
	static const struct genl_ops empty[] = { { .cmd = 1 } };
	static const struct genl_ops twice[] = { { .cmd = 1, .doit = do_nothing }, { .cmd = 1, .doit = do_nothing } };
	static struct genl_family a = { .name = "nlkit_oracle", .version = 1, .ops = good, .n_ops = 1, .resv_start_op = 2, .module = THIS_MODULE };
	static struct genl_family b = { .name = "nlkit_oracle", .version = 1, .ops = good, .n_ops = 1, .resv_start_op = 2, .module = THIS_MODULE };
	static struct genl_family c = { .name = "nlkit_empty", .version = 1, .ops = empty, .n_ops = 1, .resv_start_op = 2, .module = THIS_MODULE };
	static struct genl_family d = { .name = "nlkit_twice", .version = 1, .ops = twice, .n_ops = 2, .resv_start_op = 2, .module = THIS_MODULE };

	ASK("genl_register_family", "%d", genl_register_family(&a));
	ASK("genl_register_family: the name again", "%d", genl_register_family(&b));
	ASK("genl_register_family: neither doit nor dumpit", "%d", genl_register_family(&c));
	ASK("genl_register_family: a command twice", "%d", genl_register_family(&d));
	ASK("genl_unregister_family", "%d", genl_unregister_family(&a));
	ASK("genl_register_family: the name is free", "%d", genl_register_family(&b));
	ASK("genl_unregister_family: the second", "%d", genl_unregister_family(&b));
}

static int __init oracle_init(void)
{
	pr_info("oracle: begin\n");
	srcu_init_notifier_head(&src);
	TYPE_CASES("raw", &raw, raw_notifier_chain_register, raw_notifier_chain_unregister, raw_notifier_call_chain);
	TYPE_CASES("atomic", &atom, atomic_notifier_chain_register, atomic_notifier_chain_unregister, atomic_notifier_call_chain);
	TYPE_CASES("blocking", &blk, blocking_notifier_chain_register, blocking_notifier_chain_unregister, blocking_notifier_call_chain);
	TYPE_CASES("srcu", &src, srcu_notifier_chain_register, srcu_notifier_chain_unregister, srcu_notifier_call_chain);
	UNIQUE_CASES("atomic", &atom, atomic_notifier_chain_register, atomic_notifier_chain_unregister, atomic_notifier_chain_register_unique_prio);
	UNIQUE_CASES("blocking", &blk, blocking_notifier_chain_register, blocking_notifier_chain_unregister, blocking_notifier_chain_register_unique_prio);
	ROBUST_CASES("raw", &raw, raw_notifier_chain_register, raw_notifier_chain_unregister, raw_notifier_call_chain_robust);
	ROBUST_CASES("blocking", &blk, blocking_notifier_chain_register, blocking_notifier_chain_unregister, blocking_notifier_call_chain_robust);
	raw_changes();
	errnos();
	kernel_sockets();
	builders();
	rcv();
	connector();
	notifier();
	deliveries();
	genetlink();
	srcu_cleanup_notifier_head(&src);
	pr_info("oracle: end\n");
	return -ECANCELED;
}
module_init(oracle_init);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("asks the kernel what its own functions return");
