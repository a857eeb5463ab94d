/** Processes and kernel objects, as they come and go. */
import { open } from 'nlkit'
import { Kernel } from 'nlkit/kernel'

await using kernel = new Kernel()
await using nl = await open({ kernel }) // open() alone tells of this machine

const processes = nl.processes.watch({ events: ['fork', 'exec', 'exit'] })
await processes.ready // the kernel has acknowledged that it tells
const shell = kernel.processes.init.fork()
shell.exec('sh')
shell.exit(3)
for await (const event of processes) {
  if (event.type === 'overrun') console.log('some were lost')
  else if (event.what === 'fork') console.log('fork of', event.childPid)
  else if (event.what === 'exec') console.log('exec in', event.processPid)
  else if (event.what === 'exit') {
    console.log('exit of', event.processPid, 'with', event.exitCode >> 8)
    break // the kernel is told to stop
  }
}

const uevents = nl.uevents.watch()
await uevents.ready
await nl.links.add({ ifname: 'br0', kind: 'bridge' })
for await (const event of uevents) {
  if (event.type === 'uevent') console.log(event.action, event.devpath, event.env.DEVTYPE)
  break
}
