/* Empty on purpose: this module only carries the flags of pkg-config. CGst includes the headers. */
