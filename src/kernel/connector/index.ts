/** The connector, its process events, and the processes that they are about. */
export { ProcConnector } from './cn-proc.ts'
export {
  type CnBindRule,
  type CnCallback,
  type CnEntry,
  type CnParms,
  type CnTarget,
  Connector,
} from './connector.ts'
export type { CnMsg, CnMsgInput } from './message.ts'
export { ProcessTable, Task } from './processes.ts'
