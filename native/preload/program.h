/** Which programs may be started behind the shim: see program.c. */
#ifndef NLKIT_PROGRAM_H
#define NLKIT_PROGRAM_H

#include <stdbool.h>

/** Whether the file at `path` can be kept on its kernel; if not, says so and sets EACCES. */
bool shim_may_run(const char *path);

#endif
