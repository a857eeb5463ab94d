/** CBUS: queues for hot paths, over the connector. */
export { Cbus, type CbusStats } from './cbus.ts'
export type { CbusQueue } from './queue.ts'
export { CbusRing } from './ring.ts'
