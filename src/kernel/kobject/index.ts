/** Kobjects and uevents, and what in the kernel is told of by them. */
export { Kobject, type KobjectInit, Kset, type KsetUeventOps, type Ktype } from './kobject.ts'
export { type DeviceType, Kobjects } from './kobjects.ts'
export { moduleObjects } from './module-objects.ts'
export { NetDeviceObjects } from './net-devices.ts'
export { UeventEnv } from './uevent-env.ts'
