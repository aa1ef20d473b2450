#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>

/// `text` compressed as by gzip.
inline std::string gzipped(std::string text) {
  z_stream zlib = {};
  if (deflateInit2(&zlib, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    throw std::runtime_error("zlib cannot be started");
  std::string bytes(deflateBound(&zlib, text.size()) + 32, '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(text.data());
  zlib.avail_in = static_cast<uInt>(text.size());
  zlib.next_out = reinterpret_cast<Bytef*>(bytes.data());
  zlib.avail_out = static_cast<uInt>(bytes.size());
  const int code = deflate(&zlib, Z_FINISH);
  bytes.resize(zlib.total_out);
  deflateEnd(&zlib);
  if (code != Z_STREAM_END) throw std::runtime_error("zlib cannot compress");
  return bytes;
}
