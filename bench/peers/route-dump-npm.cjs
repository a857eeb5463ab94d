/** A route dump with the npm package netlink. Prints milliseconds and the number of routes. */
const { createRtNetlink } = require('netlink')

const socket = createRtNetlink()
const start = performance.now()
const cpu = process.cpuUsage()
socket.getRoutes().then((routes) => {
  const { user, system } = process.cpuUsage(cpu)
  const ms = performance.now() - start
  console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1e3, count: routes.length }))
  process.exit(0)
})
