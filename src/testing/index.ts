/** nlkit/testing: what tests of one's own programs need beside `nlkit/kernel`. */
export { type Netns, newNetns } from '../transport/netns.ts'
export { type FamilyInfo, type Mirror, mirrorFamilies, mirrorFamily } from './mirror.ts'
