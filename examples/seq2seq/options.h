#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/autograd/array/threads.h"

/// What the user chose on the command line; the defaults are the demo.
namespace seq2seq {

struct TrainOptions {
  std::string run;

  std::string task = "reverse";
  std::string data, valid;  // files of pairs instead of a task; empty: none
  std::string source_tokens = "chars", target_tokens = "chars";
  int min_length = 1;
  std::optional<int> max_length;  // see limit()

  std::string cell = "gru", attention = "additive";
  bool bidirectional = true;
  int layers = 1;
  int embedding = 32, hidden = 64;
  double dropout = 0;

  int batch = 64;
  std::int64_t steps = 1000;
  std::string optimizer = "adam", schedule = "cosine";
  double learn_rate = 0.002;
  std::int64_t warmup = 0;
  double clip_norm = 1;  // 0: no clipping
  double teacher_forcing = 1;
  double label_smoothing = 0;
  std::uint64_t seed = 1;
  int threads = attune::threads();

  /// The most tokens that a source or a target may have.
  int limit() const { return max_length.value_or(data.empty() ? 20 : 100); }
};

struct TestOptions {
  std::string run, data;
  std::optional<std::int64_t> count;  // 2000 of a task, all of a file
  std::uint64_t seed = 1;
  std::optional<int> min_length, max_length;  // those of the training
  bool json = false;
  int threads = attune::threads();
};

struct TranslateOptions {
  std::string run;
  std::vector<std::string> sources;  // empty: the lines of standard input
  bool alignment = false, heatmap = false;
  std::string svg;
  int threads = attune::threads();
};

}  // namespace seq2seq
