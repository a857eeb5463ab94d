/** Sizes, rates and times as tc(8) prints them. */
import { readFileSync } from 'node:fs'

/** As C's %g has it, with six digits. */
function general(number: number, digits = 6): string {
  return String(Number(number.toPrecision(digits)))
}

/** `10Kb`: bytes, in thousands where that is near enough. */
export function sizeText(bytes: number): string {
  const [kilo, mega] = [1024, 1024 * 1024]
  const near = (unit: number) => unit * Math.round(bytes / unit)
  if (bytes >= mega && Math.abs(near(mega) - bytes) < 1024)
    return `${general(Math.round(bytes / mega))}Mb`
  if (bytes >= kilo && Math.abs(near(kilo) - bytes) < 16)
    return `${general(Math.round(bytes / kilo))}Kb`
  return `${bytes}b`
}

/** `1Mbit`: bytes a second. */
export function rateText(bytes: number | bigint): string {
  let bits = BigInt(bytes) * 8n
  let unit = 0
  while (unit < 4 && bits >= 1000n && (bits % 1000n === 0n || bits >= 1_000_000n)) {
    bits /= 1000n
    unit++
  }
  return `${bits}${['', 'K', 'M', 'G', 'T'][unit]}bit`
}

/** `5ms`: microseconds. */
export function timeText(microseconds: number): string {
  if (microseconds >= 1e6) return `${general(microseconds / 1e6, 3)}s`
  if (microseconds >= 1000) return `${general(microseconds / 1000, 3)}ms`
  return `${Math.trunc(microseconds)}us`
}

let ticks: number | undefined

/** The kernel's ticks in a microsecond (psched_get_parm()). */
function ticksInMicrosecond(): number {
  if (ticks !== undefined) return ticks
  try {
    const numbers = readFileSync('/proc/net/psched', 'utf8').split(' ')
    const [toMicroseconds = 1, toTicks = 1, resolution = 1e6] = numbers.map((word) =>
      Number.parseInt(word, 16),
    )
    ticks = (toMicroseconds / toTicks) * (resolution / 1e6)
  } catch {
    ticks = 15.625
  }
  return ticks
}

/** Microseconds. */
export function fromTicks(number: number): number {
  return Math.trunc(number / ticksInMicrosecond())
}

/** Bytes that go out at a rate within so many ticks. */
export function transmitted(rate: number | bigint, number: number): number {
  return (Number(rate) * fromTicks(number)) / 1e6
}
