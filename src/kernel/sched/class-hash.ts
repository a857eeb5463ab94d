/**
 * The classes of a discipline, in the order in which Linux walks through them.
 *
 * Kernel: net/sched/sch_api.c qdisc_class_hash_insert(), qdisc_class_hash_grow();
 * include/net/sch_generic.h qdisc_class_hash().
 */
import type { TcClass } from './qdisc.ts'

const FIRST_SIZE = 4

export class ClassHash<Class extends TcClass> {
  #buckets: Class[][] = Array.from({ length: FIRST_SIZE }, () => [])
  #count = 0

  find(classid: number): Class | undefined {
    return this.#bucket(classid).find((each) => each.classid === classid)
  }

  insert(cl: Class): void {
    this.#bucket(cl.classid).unshift(cl)
    this.#count++
  }

  /** Makes room, when it is three quarters full. */
  grow(): void {
    if (this.#count * 4 <= this.#buckets.length * 3) return
    const old = this.#buckets
    this.#buckets = Array.from({ length: old.length * 2 }, () => [])
    for (const bucket of old) {
      for (const cl of bucket) this.#bucket(cl.classid).unshift(cl)
    }
  }

  remove(cl: Class): void {
    const bucket = this.#bucket(cl.classid)
    const at = bucket.indexOf(cl)
    if (at < 0) return
    bucket.splice(at, 1)
    this.#count--
  }

  *walk(): Iterable<Class> {
    for (const bucket of this.#buckets) yield* bucket
  }

  #bucket(classid: number): Class[] {
    let id = classid ^ (classid >>> 8)
    id ^= id >>> 4
    return this.#buckets[id & (this.#buckets.length - 1)] as Class[]
  }
}
