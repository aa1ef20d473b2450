// Writes the batches of a training to a file, so that another library can train on the same ones;
// see bench/translation.py.

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "attune/autograd/array/error.h"
#include "attune/train/training_data.h"
#include "examples/cli11_numbers.h"
// Above, since it must come before other headers of CLI11.
#include "examples/cli11_fields.h"

using namespace attune;

namespace {

void write(std::FILE* file, const std::vector<std::int32_t>& numbers) {
  ATTUNE_CHECK(
      std::fwrite(numbers.data(), sizeof numbers[0], numbers.size(), file) == numbers.size(),
      "cannot write the batches");
}

// For each batch S, T and B, then the source ids [S, B], the target's input ids [T, B] and output
// ids [T, B], all as int32.
void write_batches(const TrainOptions& options, const std::string& path) {
  TrainingData data = load_training_data(options);
  std::FILE* file = std::fopen(path.c_str(), "wb");
  ATTUNE_CHECK(file != nullptr, "cannot write '{}'", path);
  for (std::int64_t step = 0; step < options.steps * options.accumulate; ++step) {
    const Batch batch = data.batches.next();
    write(file, {static_cast<std::int32_t>(batch.source.ids.shape()[0]),
                 static_cast<std::int32_t>(batch.target_input.shape()[0]),
                 static_cast<std::int32_t>(batch.sequences())});
    for (const Indices* ids : {&batch.source.ids, &batch.target_input, &batch.target_output})
      write(file, ids->to_vector());
  }
  ATTUNE_CHECK(std::fclose(file) == 0, "cannot write '{}'", path);
}

}  // namespace

int main(int argc, char** argv) {
  TrainOptions options;
  std::string output;
  CLI::App app{"Writes the batches of a training with the given options to a file."};
  flags::add_fields(app, fields(options));
  app.add_option("--output", output, "the file")->required()->type_name("FILE");
  app.footer("Example: training_batches --run none --data train.tsv --steps 100 --output batches");
  try {
    app.parse(argc, argv);
    check(options);
    write_batches(options, output);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "training_batches: error: {}; see --help\n", flags::reason_of(error));
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "training_batches: error: {}\n", error.what());
    return 1;
  }
  return 0;
}
