/** The kernel's log: numbers, levels, continuation, followers, and how it is printed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDmesg, formatKmsg } from './format.ts'
import {
  KERN_CONT,
  KERN_DEFAULT,
  KERN_ERR,
  KERN_INFO,
  KernelLog,
  type LogEntry,
  type LogLevel,
} from './log.ts'

const clock = (step = 1) => {
  let now = 0
  return {
    monotonic: () => {
      const time = now
      now += step
      return time
    },
    realtime: () => 0,
    setTimer: () => () => {},
  }
}
const texts = (log: KernelLog) => log.entries().map(({ text }) => text)

test('printk: each line has a number, a level and a time', () => {
  const log = new KernelLog(clock())
  log.printk(KERN_ERR, 'one\n')
  log.printk(KERN_INFO, 'two')
  assert.deepEqual(log.entries(), [
    { seq: 0, level: 3, time: 0, text: 'one' },
    { seq: 1, level: 6, time: 1, text: 'two' },
  ])
})

test('printk: KERN_CONT goes on with a line that has no newline, and begins one otherwise', () => {
  const log = new KernelLog(clock())
  log.printk(KERN_INFO, 'a')
  log.printk(KERN_CONT, 'b')
  log.printk(KERN_CONT, 'c\n')
  log.printk(KERN_CONT, 'd\n')
  assert.deepEqual(texts(log), ['abc', 'd'])
  assert.equal(log.entries()[0]?.level, KERN_INFO)
  assert.equal(log.entries()[1]?.level, KERN_DEFAULT)
})

test('printk: the ring is bounded, numbers go on; a text is cut at 1,024 characters', () => {
  const log = new KernelLog(clock(), 3)
  for (let i = 0; i < 5; i++) log.printk(KERN_INFO, `${i}\n`)
  assert.deepEqual(texts(log), ['2', '3', '4'])
  assert.equal(log.firstSeq, 2)
  assert.equal(log.nextSeq, 5)
  assert.deepEqual(
    log.entries(4).map(({ seq }) => seq),
    [4],
  )
  log.printk(KERN_INFO, 'x'.repeat(5000))
  assert.equal(log.entries().at(-1)?.text.length, 1024)
  log.printk(KERN_CONT, 'y')
  assert.equal(log.entries().at(-1)?.text, 'y', 'what does not fit begins an entry')
})

test('printk: clear hides what was there, and loses nothing', () => {
  const log = new KernelLog(clock())
  log.printk(KERN_INFO, 'old\n')
  log.clear()
  log.printk(KERN_INFO, 'new\n')
  assert.deepEqual(texts(log), ['new'])
  assert.equal(log.entries(0).length, 2)
})

test('printk: followers hear each entry at once, and a continued one again', () => {
  const log = new KernelLog(clock())
  const heard: string[] = []
  const stop = log.follow(({ seq, text }) => heard.push(`${seq} ${text}`))
  log.printk(KERN_INFO, 'a')
  log.printk(KERN_CONT, 'b\n')
  stop()
  stop()
  log.printk(KERN_INFO, 'c\n')
  assert.deepEqual(heard, ['0 a', '0 ab'])
})

test('printk: a follower that throws or logs does no harm', () => {
  const log = new KernelLog(clock())
  const heard: string[] = []
  log.follow(() => {
    throw new Error('broken')
  })
  log.follow(({ text }) => {
    heard.push(text)
    log.printk(KERN_INFO, 'from the follower\n')
  })
  log.printk(KERN_INFO, 'a\n')
  log.printk(KERN_INFO, 'b\n')
  assert.deepEqual(heard, ['a', 'b'])
  assert.equal(texts(log).filter((text) => text.includes('broken')).length, 1)
  log.close()
  log.printk(KERN_INFO, 'c\n')
  assert.deepEqual(heard, ['a', 'b'])
})

test('dmesg: [    0.000000] before each line', () => {
  const entry = (time: number, text: string): LogEntry => ({ seq: 7, level: 4, time, text })
  assert.equal(formatDmesg(entry(0, 'init_notifier')), '[    0.000000] init_notifier')
  assert.equal(formatDmesg(entry(12345.678, 'a\nb')), '[   12.345678] a\n[   12.345678] b')
  assert.equal(formatDmesg(entry(123456789.5, 'x')), '[123456.789500] x')
})

test('/dev/kmsg: priority,number,microseconds,-;text', () => {
  const entry: LogEntry = { seq: 3, level: 6, time: 1.5, text: 'a\\b\né' }
  assert.equal(formatKmsg(entry), '6,3,1500,-;a\\x5cb\\x0a\\xc3\\xa9\n')
})

test('printk: any sequence of texts keeps the last entries in order', () => {
  const level = fc.integer({ min: -1, max: 7 }) as fc.Arbitrary<LogLevel | -1>
  fc.assert(
    fc.property(fc.array(fc.tuple(level, fc.string())), (all) => {
      const log = new KernelLog(clock(), 5)
      for (const [at, text] of all) log.printk(at, text)
      const entries = log.entries()
      assert.equal(entries.length, Math.min(5, log.nextSeq))
      entries.forEach((entry, i) => {
        assert.equal(entry.seq, log.nextSeq - entries.length + i)
      })
    }),
  )
})
