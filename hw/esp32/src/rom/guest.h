/* Addresses of guest code of our own (guest.c) that other services jump to. */
#ifndef ROM_GUEST_H
#define ROM_GUEST_H

/* append(reent, descriptor, data, size): _lseek_r() to the end, then _write_r() */
#define GUEST_APPEND 0x4006F300u

#endif
