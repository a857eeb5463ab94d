/**
 * Values in rules' messages.
 *
 * Kernel: include/uapi/linux/fib_rules.h (Linux 6.18).
 */

/** What a matching rule does. */
export const FR_ACT_UNSPEC = 0
export const FR_ACT_TO_TBL = 1
export const FR_ACT_GOTO = 2
export const FR_ACT_NOP = 3
export const FR_ACT_RES3 = 4
export const FR_ACT_RES4 = 5
export const FR_ACT_BLACKHOLE = 6
export const FR_ACT_UNREACHABLE = 7
export const FR_ACT_PROHIBIT = 8

/** Flags of a rule. */
export const FIB_RULE_PERMANENT = 0x1
export const FIB_RULE_INVERT = 0x2
export const FIB_RULE_UNRESOLVED = 0x4
export const FIB_RULE_IIF_DETACHED = 0x8
export const FIB_RULE_OIF_DETACHED = 0x10
export const FIB_RULE_FIND_SADDR = 0x10000
