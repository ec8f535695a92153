// The files that browsers get, as bytes in the binary: see pages.c.
#pragma once

struct roost_page {
  /// The path it is served at.
  const char *path;
  const unsigned char *bytes;
  unsigned long count;
};

/// Number `index`, from 0 on; NULL after the last.
const struct roost_page *roost_page(unsigned long index);
