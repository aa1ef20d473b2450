#pragma once

#include <cstddef>
#include <istream>
#include <memory>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

struct z_stream_s;

namespace attune {

/// The first bytes of data compressed with gzip.
constexpr std::string_view kGzipMagic = "\x1F\x8B";

/// Decompresses gzip data (RFC 1952), also of several members one after the other, with zlib.
class GzipBuffer : public std::streambuf {
 public:
  /// Reads from `compressed`, which must outlive the buffer; `begin` has the bytes that were taken
  /// from it before.
  GzipBuffer(std::istream& compressed, std::string begin, std::string name);
  ~GzipBuffer() override;

 protected:
  /// Errors (they begin with the name): the data is damaged or ends early, or cannot be read.
  int_type underflow() override;

 private:
  void refill();

  std::istream& compressed_;
  std::string name_, input_;
  std::vector<char> output_;
  std::unique_ptr<z_stream_s> zlib_;
  bool is_member_complete_ = false;
};

/// A stream of decompressed text. Unlike other streams, it throws the errors of GzipBuffer.
class GzipStream : public std::istream {
 public:
  GzipStream(std::istream& compressed, std::string begin, std::string name)
      : std::istream(nullptr), buffer_(compressed, std::move(begin), std::move(name)) {
    rdbuf(&buffer_);
    exceptions(std::ios::badbit);
  }

 private:
  GzipBuffer buffer_;
};

}  // namespace attune
