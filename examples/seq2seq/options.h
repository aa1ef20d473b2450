#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/autograd/array/threads.h"
#include "attune/train/train_options.h"

/// What the user chose on the command line; the defaults are the demo.
namespace seq2seq {

using attune::TrainOptions;

struct TestOptions {
  std::string run, data;
  std::optional<std::int64_t> count;  // 2000 of a task, all of a file
  std::uint64_t seed = 1;
  std::optional<int> min_length, max_length;  // those of the training
  std::optional<int> max_source_length;       // that of the training
  std::optional<int> max_output_length;       // see RunConfig::max_output_length()
  std::string output;                         // a file of all outputs; empty: none
  bool json = false;
  int threads = attune::threads();
};

struct TranslateOptions {
  std::string run;
  std::vector<std::string> sources;      // empty: the lines of standard input
  std::optional<int> max_source_length;  // that of the training
  std::optional<int> max_output_length;  // see RunConfig::max_output_length()
  bool alignment = false, heatmap = false;
  std::string svg;
  int threads = attune::threads();
};

}  // namespace seq2seq
