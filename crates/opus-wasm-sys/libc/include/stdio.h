/* libopus prints only before it aborts; here it just aborts. */
#ifndef SIDETONE_STDIO_H
#define SIDETONE_STDIO_H

#define stderr 0
#define fprintf(...) ((void)0)

#endif
