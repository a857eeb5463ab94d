/**
 * The log as text: as `dmesg` prints it, and as a record of /dev/kmsg.
 *
 * Kernel: kernel/printk/printk.c print_time(), info_print_ext_header(), msg_print_ext_body().
 */
import type { LogEntry } from './log.ts'

/** One entry as `dmesg` prints it: `[    0.000000] text`, a stamp before each of its lines. */
export function formatDmesg({ time, text }: LogEntry): string {
  const stamp = `[${seconds(time)}] `
  return text
    .split('\n')
    .map((line) => stamp + line)
    .join('\n')
}

/**
 * One entry as /dev/kmsg gives it: `priority,number,microseconds,-;text` and a newline. What is not
 * printable ASCII, and the backslash, is written `\x0a`, by bytes of UTF-8.
 */
export function formatKmsg({ seq, level, time, text }: LogEntry): string {
  return `${level},${seq},${microseconds(time)},-;${escapeText(text)}\n`
}

function microseconds(ms: number): number {
  return Math.floor(ms * 1000)
}

/** Seconds with 6 decimals, 12 characters or more. */
function seconds(ms: number): string {
  const us = microseconds(ms)
  const fraction = String(us % 1_000_000).padStart(6, '0')
  return `${String(Math.floor(us / 1_000_000)).padStart(5)}.${fraction}`
}

const encoder = new TextEncoder()

function escapeText(text: string): string {
  let escaped = ''
  for (const byte of encoder.encode(text)) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c
    escaped += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return escaped
}
