/* The parts of an image reference: "docker.io/library/nginx:1.25@sha256:...". */
#ifndef HW_COLLECTOR_RUNTIME_IMAGE_REF_H
#define HW_COLLECTOR_RUNTIME_IMAGE_REF_H

#include "base/str.h"

struct image_ref {
	struct str repository; /* as written: nothing is put before a short name */
	struct str tag;        /* "1.25"; empty when not given */
	struct str digest;     /* "sha256:..."; empty when not given */
};

/*
 * Split `text`; the views point into it or at an empty literal, never NULL. An image id, bare or
 * as "sha256:...", has no part of a name: all three stay empty.
 */
struct image_ref image_ref_split(struct str text);

/* The 64 hex digits of an image id, without "sha256:"; empty when text is not one. */
struct str image_ref_id(struct str text);

#endif
