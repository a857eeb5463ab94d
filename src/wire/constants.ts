/** Numbers of the netlink layer itself (include/uapi/linux/netlink.h, genetlink.h). */

export const AF_NETLINK = 16
export const SOL_NETLINK = 270

export const NETLINK_ROUTE = 0
export const NETLINK_UNUSED = 1
export const NETLINK_USERSOCK = 2
export const NETLINK_FIREWALL = 3
export const NETLINK_SOCK_DIAG = 4
export const NETLINK_NFLOG = 5
export const NETLINK_XFRM = 6
export const NETLINK_SELINUX = 7
export const NETLINK_ISCSI = 8
export const NETLINK_AUDIT = 9
export const NETLINK_FIB_LOOKUP = 10
export const NETLINK_CONNECTOR = 11
export const NETLINK_NETFILTER = 12
export const NETLINK_KOBJECT_UEVENT = 15
export const NETLINK_GENERIC = 16
export const NETLINK_SCSITRANSPORT = 18
export const NETLINK_ECRYPTFS = 19
export const NETLINK_RDMA = 20
export const NETLINK_CRYPTO = 21
export const NETLINK_SMC = 22
export const MAX_LINKS = 32

export const NETLINK_ADD_MEMBERSHIP = 1
export const NETLINK_DROP_MEMBERSHIP = 2
export const NETLINK_PKTINFO = 3
export const NETLINK_BROADCAST_ERROR = 4
export const NETLINK_NO_ENOBUFS = 5
export const NETLINK_LISTEN_ALL_NSID = 8
export const NETLINK_LIST_MEMBERSHIPS = 9
export const NETLINK_CAP_ACK = 10
export const NETLINK_EXT_ACK = 11
export const NETLINK_GET_STRICT_CHK = 12

export const NLMSG_HDRLEN = 16
export const NLMSG_NOOP = 1
export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3
export const NLMSG_OVERRUN = 4
/** Message types below this are control messages. */
export const NLMSG_MIN_TYPE = 0x10

export const NLM_F_REQUEST = 0x1
export const NLM_F_MULTI = 0x2
export const NLM_F_ACK = 0x4
export const NLM_F_ECHO = 0x8
export const NLM_F_DUMP_INTR = 0x10
export const NLM_F_DUMP_FILTERED = 0x20
export const NLM_F_ROOT = 0x100
export const NLM_F_MATCH = 0x200
export const NLM_F_ATOMIC = 0x400
export const NLM_F_DUMP = 0x300
export const NLM_F_REPLACE = 0x100
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400
export const NLM_F_APPEND = 0x800
export const NLM_F_NONREC = 0x100
export const NLM_F_BULK = 0x200
export const NLM_F_CAPPED = 0x100
export const NLM_F_ACK_TLVS = 0x200

export const NLA_HDRLEN = 4
export const NLA_F_NESTED = 0x8000
export const NLA_F_NET_BYTEORDER = 0x4000
export const NLA_TYPE_MASK = 0x3fff
/** Largest payload that nla_len can express, bytes. */
export const NLA_MAX_PAYLOAD = 65531

export const GENL_HDRLEN = 4
export const GENL_NAMSIZ = 16
export const GENL_MIN_ID = 0x10
export const GENL_MAX_ID = 1023
export const GENL_ID_CTRL = 0x10
export const GENL_ADMIN_PERM = 0x01
export const GENL_CMD_CAP_DO = 0x02
export const GENL_CMD_CAP_DUMP = 0x04
export const GENL_CMD_CAP_HASPOL = 0x08
export const GENL_UNS_ADMIN_PERM = 0x10
