#ifndef CGST_H
#define CGST_H
#include <gst/gst.h>
#endif
