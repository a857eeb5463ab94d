/**
 * The buckets of a resilient nexthop group: flows keep their way while members come and go.
 *
 * Kernel: net/ipv4/nexthop.c nh_res_table_upkeep(), nh_res_group_rebalance(),
 * nh_res_table_migrate_buckets() (Linux 6.18). No packet uses a bucket here, so each is as idle as
 * the time since it changed hands.
 */
import type { GroupMember } from './nexthop.ts'
import type { NetStack } from './stack.ts'

/** Times in milliseconds; absent: as it was, or the default. */
export interface ResilientConfig {
  readonly buckets?: number | undefined
  readonly idleTimer?: number | undefined
  readonly unbalancedTimer?: number | undefined
}

const DEFAULT_IDLE = 120_000
/** How soon the next look is taken, at the earliest (NH_RES_UPKEEP_DW_MINIMUM_INTERVAL). */
const MIN_INTERVAL = 500

/** One bucket (struct nh_res_bucket). */
export interface ResilientBucket {
  member: GroupMember | undefined
  /** Whether its member is one of the group's, still. */
  isOccupied: boolean
  /** Milliseconds since boot. */
  since: number
}

/** struct nh_res_table. */
export class ResilientTable {
  readonly buckets: readonly ResilientBucket[]
  idleTimer: number
  unbalancedTimer: number
  /** Milliseconds since boot: since when a member has had too few buckets. */
  unbalancedSince = 0
  readonly #stack: NetStack
  readonly #migrated: (index: number) => void
  /** Members that want more, who is served first in front. */
  #underweight: GroupMember[] = []
  #cancel: (() => void) | undefined

  /** `migrated` hears of each bucket that changes hands by itself. */
  constructor(stack: NetStack, config: ResilientConfig, migrated: (index: number) => void) {
    this.#stack = stack
    this.#migrated = migrated
    this.idleTimer = config.idleTimer ?? DEFAULT_IDLE
    this.unbalancedTimer = config.unbalancedTimer ?? 0
    this.buckets = Array.from({ length: config.buckets ?? 0 }, () => ({
      member: undefined,
      isOccupied: false,
      since: stack.now(),
    }))
  }

  /** For how long a member has had too few buckets, in milliseconds. */
  get unbalancedTime(): number {
    return this.#underweight.length === 0 ? 0 : this.#stack.now() - this.unbalancedSince
  }

  /** For how long nothing has gone through a bucket, in milliseconds. */
  idleTime(bucket: ResilientBucket): number {
    return this.#stack.now() - bucket.since
  }

  /** replace_nexthop_grp_res(), and the first filling: `members` are those of the group now. */
  populate(members: readonly GroupMember[]): void {
    const { unbalancedSince } = this
    const wasUnbalanced = this.#underweight.length > 0
    this.close()
    this.#migrate(members)
    this.#rebalance(members)
    if (wasUnbalanced && this.#underweight.length > 0) this.unbalancedSince = unbalancedSince
    this.#upkeep(false)
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** nh_res_table_migrate_buckets(). */
  #migrate(members: readonly GroupMember[]): void {
    for (const member of members) member.buckets = 0
    for (const bucket of this.buckets) {
      const heir = members.find(({ nexthop }) => nexthop === bucket.member?.nexthop)
      bucket.isOccupied = heir !== undefined
      if (!heir) continue
      bucket.member = heir
      heir.buckets++
    }
  }

  /** nh_res_group_rebalance(): how many buckets each member is to have. */
  #rebalance(members: readonly GroupMember[]): void {
    this.#underweight = []
    let total = 0
    for (const { weight } of members) total += weight
    let sum = 0
    let previous = 0
    for (const member of members) {
      sum += member.weight
      const bound = Math.floor((this.buckets.length * sum + Math.floor(total / 2)) / total)
      member.wantedBuckets = bound - previous
      previous = bound
      if (member.buckets >= member.wantedBuckets) continue
      if (this.#underweight.length === 0) this.unbalancedSince = this.#stack.now()
      this.#underweight.unshift(member)
    }
  }

  /** nh_res_table_upkeep(). `tells`: whether user space hears of each bucket. */
  #upkeep(tells: boolean): void {
    const now = this.#stack.now()
    let deadline = now + (this.unbalancedTimer || this.idleTimer)
    for (const [index, bucket] of this.buckets.entries()) {
      const due = this.#dueTime(bucket, now)
      if (due === undefined) continue
      if (due > now) deadline = Math.min(deadline, due)
      else if (this.#give(bucket, now) && tells) this.#migrated(index)
    }
    if (this.#underweight.length === 0) return
    const delay = Math.max(deadline - now, MIN_INTERVAL)
    this.#cancel = this.#stack.setTimer(() => this.#upkeep(true), Math.min(delay, 0x7fffffff))
  }

  /** nh_res_bucket_should_migrate(): when it may change hands, if it is to. */
  #dueTime(bucket: ResilientBucket, now: number): number | undefined {
    const { member } = bucket
    if (!bucket.isOccupied || !member) return now
    if (member.buckets <= member.wantedBuckets) return undefined
    // Nothing has gone through it since it changed hands: it is idle at once.
    return now
  }

  #give(bucket: ResilientBucket, now: number): boolean {
    const [heir] = this.#underweight
    if (!heir) return false
    if (bucket.isOccupied && bucket.member) bucket.member.buckets--
    bucket.member = heir
    bucket.isOccupied = true
    bucket.since = now
    if (++heir.buckets === heir.wantedBuckets) this.#underweight.shift()
    return true
  }
}
