#ifndef RG_BASE_ERROR_H
#define RG_BASE_ERROR_H

/*
 * Functions that can fail return 0 (or a count) on success and one of these, negative, on failure.
 * Each function lists the ones it gives. Outputs named ret_… are untouched on failure.
 */
enum rg_error {
    RG_EAGAIN = -1,     /* more bytes, or more time, are needed */
    RG_EINVAL = -2,     /* not of the form that was expected */
    RG_ERANGE = -3,     /* of the right form, outside what is allowed */
    RG_ENOENT = -4,     /* no such thing */
    RG_EEXIST = -5,     /* there already */
    RG_ENOMEM = -6,     /* an allocation of a size that the outside asked for failed */
    RG_ETYPE = -7,      /* the value is of another type */
    RG_EPROTO = -8,     /* the peer broke the protocol */
    RG_ECORRUPT = -9,   /* a checksum or structure does not hold */
    RG_EIO = -10,       /* the operating system reported an I/O error */
    RG_ENOSPC = -11,    /* no space left on the device */
    RG_ELIMIT = -12,    /* a configured or protocol limit is reached */
    RG_EOVERFLOW = -13, /* arithmetic would overflow */
    RG_ENAN = -14,      /* arithmetic would give NaN or Infinity */
};

/* A caller that drops one of these results is wrong. */
#define RG_MUST_USE __attribute__((warn_unused_result))

#endif
