/** What a process has cost so far, as the family TASKSTATS of this machine's kernel accounts it. */
import { isNetlinkError, open } from 'nlkit'
import { taskstats } from 'nlkit/families/taskstats'

const pid = Number(process.argv[2] ?? process.pid)
try {
  await using nl = await open()
  const family = await nl.family(taskstats)
  const { aggrPid } = await family.do('get', { pid })
  const stats = aggrPid?.stats
  if (!stats) throw new Error(`the kernel has no figures of ${pid}`)
  const name = new TextDecoder().decode(stats.comm).replace(/\0.*$/s, '')
  console.log(`${name}: ${stats.utime} us in user mode, ${stats.stime} us in the kernel`)
  console.log(`at most ${stats.hiwaterRss} KiB in memory, ${stats.readChar} bytes read`)
} catch (error) {
  // only for the administrator, and in the first namespaces only
  if (!isNetlinkError(error)) throw error
  console.log(`not shown: ${error.code}`)
}
