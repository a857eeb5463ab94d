/**
 * Everything that iproute2 6.1 shows of what Linux 6.12 sent: the recorded bytes, through the
 * command line, are the same text and the same JSON.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kernel } from 'nlkit/kernel'
import { nlkit } from './cli.ts'
import { readRecording, replay, skipReplay } from './replay.ts'

/** The recordings, and the least of command lines that each has. */
const RECORDINGS = { links: 20, xdp: 6, routes: 60, bridge: 60 } as const

/** `ip`, `tc` and `bridge` as our words: tc's objects are objects of ours. */
function ours(argv: string): string[] {
  const [program, ...words] = argv.split(' ')
  const at = words.findIndex((word) => !word.startsWith('-'))
  return program === 'bridge' ? [...words.slice(0, at), program, ...words.slice(at)] : words
}

/** What moves by itself between two looks: timers and lifetimes. */
const MOVING =
  /\b(valid_life_time|preferred_life_time|valid_lft|preferred_lft|expires|idle_time|gc_timer|reachable)("?:? *)([\d.]+)/g

/** Of forwarding entries: seconds since they were used, and since they were changed. */
const USED = /\bused \d+\/\d+|"(used|updated)":\d+|"timer":" *[\d.]+"/g

/** How long a bridge's multicast group, or its router, has left. */
const LEFT = /^((?:dev|router ports on) .*?) +\d+\.\d\d(?= \w+$|$)/gm

function still(output: string): string[] {
  return output.replace(MOVING, '$1 N').replace(USED, '$1 N').replace(LEFT, '$1').split('\n')
}

/** Objects of JSON, each on a line. */
function objects(json: string): string {
  const all = JSON.parse(json || '[]') as unknown[]
  return all.map((one) => JSON.stringify(one)).join('\n')
}

/** The first line that differs tells more than all of them. */
function same(actual: readonly string[], expected: readonly string[]): void {
  for (const [i, line] of expected.entries()) assert.equal(actual[i], line, `line ${i + 1}`)
  assert.equal(actual.length, expected.length)
}

for (const [name, least] of Object.entries(RECORDINGS)) {
  test(`what iproute2 says of recorded ${name}`, { skip: skipReplay }, async (t) => {
    const recording = readRecording(name)
    assert.match(recording.iproute2, /iproute2-6\.1\./)
    assert.ok(recording.told.length >= least, `${recording.told.length} command lines`)
    const kernel = replay(recording) as unknown as Kernel
    for (const { argv, stdout } of recording.told) {
      await t.test(argv, async () => {
        const { code, stdout: actual, stderr } = await nlkit(kernel, ours(argv))
        assert.equal(code, 0, stderr)
        if (argv.includes(' -j')) same(still(objects(actual)), still(objects(stdout)))
        else same(still(actual), still(stdout))
      })
    }
  })
}
