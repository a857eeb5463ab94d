/**
 * Who asks: a task's credentials, its capabilities, and the user namespaces that they count in.
 *
 * Kernel: kernel/capability.c ns_capable(), security/commoncap.c cap_capable() (Linux 6.12).
 */

/** A capability by its name in include/uapi/linux/capability.h. */
export type Capability =
  | 'CAP_AUDIT_READ'
  | 'CAP_NET_ADMIN'
  | 'CAP_NET_BROADCAST'
  | 'CAP_NET_RAW'
  | 'CAP_SETGID'
  | 'CAP_SETUID'
  | 'CAP_SYS_ADMIN'
  | 'CAP_SYS_MODULE'

/** What a task may do. */
export interface Credentials {
  /** Process id (tgid): the first port id that autobind tries. */
  readonly pid: number
  readonly uid: number
  readonly gid: number
  readonly capabilities: 'all' | ReadonlySet<Capability>
  /** Where the capabilities count; absent: the kernel's first user namespace. */
  readonly userNs?: UserNamespace | undefined
}

/** Whom messages of the kernel itself come from. */
export const KERNEL_CREDENTIALS: Credentials = { pid: 0, uid: 0, gid: 0, capabilities: 'all' }

/** A user namespace (struct user_namespace): capabilities are held in one, and in its children. */
export class UserNamespace {
  readonly parent: UserNamespace | undefined
  /** Uid, in the parent, of who made it. */
  readonly owner: number
  /** How many ancestors it has. */
  readonly level: number

  constructor(parent?: UserNamespace, owner = 0) {
    this.parent = parent
    this.owner = owner
    this.level = parent ? parent.level + 1 : 0
  }
}

/** ns_capable(): whether `credentials` have `capability` in the user namespace `target`. */
export function nsCapable(
  credentials: Credentials,
  target: UserNamespace,
  capability: Capability,
): boolean {
  let ns = target
  for (;;) {
    const held = credentials.userNs
    if (held ? ns === held : ns.level === 0) {
      return credentials.capabilities === 'all' || credentials.capabilities.has(capability)
    }
    if (ns.level <= (held?.level ?? 0) || !ns.parent) return false
    if (ns.parent === held || (!held && ns.parent.level === 0)) {
      if (ns.owner === credentials.uid) return true
    }
    ns = ns.parent
  }
}
