/** Lists that are made of other projects' own tests: iproute2's suite and Linux's self tests. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchIproute2, fetchSelftests } from './debian.ts'
import type { Scenario } from './scenario.ts'

/** Self tests, and how the script takes the name of one test. */
const SELFTESTS: readonly { readonly script: string; readonly one: boolean }[] = [
  { script: 'rtnetlink.sh', one: true },
  { script: 'fib_tests.sh', one: true },
  { script: 'fib_rule_tests.sh', one: true },
  { script: 'fib_nexthops.sh', one: true },
  { script: 'fib-onlink-tests.sh', one: false },
  { script: 'fib_nexthop_nongw.sh', one: false },
  { script: 'fib_nexthop_multiprefix.sh', one: false },
]

/** The names in a script's lists of tests: TESTS="…" and its like. */
function testsOf(text: string): string[] {
  return [...text.matchAll(/^\w*TESTS="([^"$]*)"/gm)].flatMap(([, names = '']) =>
    names.split(/[\s\\]+/).filter(Boolean),
  )
}

/** One scenario for every test of iproute2's suite. */
export function iproute2Suite(): Scenario[] {
  const folder = fetchIproute2()
  return readdirSync(join(folder, 'tests'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.t'))
    .sort()
    .map((name) => ({
      id: `iproute2/${name.slice(0, -'.t'.length)}`,
      list: 'iproute2',
      object: name.split('/')[0]!,
      steps: [
        [
          'F=$PWD; touch $F/err; cd "$NLKIT_IPROUTE2"',
          'export STD_ERR=$F/std_err STD_OUT=$F/std_out ERRF=$F/err TC=tc IP=ip SS=ss BRIDGE=bridge DEV=lo SNAME=iproute2',
          `sh tests/${name}; R=$?; cat $F/err; exit $R`,
        ].join('; '),
      ],
      recorded: true,
      monitor: false,
      seconds: 60,
      env: { NLKIT_IPROUTE2: folder },
    }))
}

/** One scenario for every function of a script that can run one alone, or for the script. */
export function selftests(): Scenario[] {
  const folder = fetchSelftests()
  return SELFTESTS.flatMap(({ script, one }) => {
    const object = script.replace(/\.sh$/, '')
    const tests = one ? testsOf(readFileSync(join(folder, script), 'utf8')) : ['all']
    return tests.map((test) => ({
      id: `selftests/${object}/${test}`,
      list: 'selftests',
      object,
      steps: [
        `cd "$NLKIT_SELFTESTS" && PATH="$PATH:$PWD" bash ./${script}${one ? ` -t ${test}` : ''}`,
      ],
      recorded: true,
      monitor: false,
      seconds: 120,
      env: { NLKIT_SELFTESTS: folder },
    }))
  })
}
