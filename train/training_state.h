#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/named_arrays.h"
#include "attune/autograd/array/random.h"
#include "attune/layers/layer.h"

namespace attune {

/// Something whose state can be saved and restored, such as an optimizer, a schedule or a
/// BatchStream.
template <typename Part>
concept HasState = requires(const Part& from, Part& to, const NamedArrays& arrays) {
  { from.state() } -> std::convertible_to<NamedArrays>;
  to.load_state(arrays);
};

/// Saves the complete state of a training in one file, so that the training can be interrupted at
/// any step and resumed in another process, with bit-identical results:
///
///     TrainingState state;
///     state.add("model", model);
///     state.add("optimizer", optimizer);
///     state.add("schedule", *schedule);
///     state.add("batches", batches);
///     state.add("random", generator());
///     state.add("step", step);
///     if (resume) state.load("checkpoint.safetensors");
///     while (step < steps) {
///       ...
///       if (++step % 1000 == 0) state.save("checkpoint.safetensors");
///     }
///
/// Parts are held by reference. The file is safetensors: the arrays of a part are called
/// "part/array".
class TrainingState {
 public:
  /// Texts for the program's own use, such as the flags with which the training began.
  std::map<std::string, std::string> texts;

  /// Adds a part. Errors, also of the functions below: the name is already used or contains a
  /// slash.
  template <HasState Part>
  void add(const std::string& name, Part& part) {
    add(name, {[&part] { return part.state(); },
               [&part](const NamedArrays& arrays) { part.load_state(arrays); }});
  }
  void add(const std::string& name, Layer& model);         ///< its parameters
  void add(const std::string& name, Generator& random);    ///< seed and number of draws
  void add(const std::string& name, std::int64_t& count);  ///< from 0 to 2^53

  /// Writes all parts and texts, atomically and with a digest. Errors: as write_file_atomically().
  void save(const std::string& path) const;
  /// Restores all parts and texts from a file written by save(). Errors (the message gives the
  /// path): the file cannot be read or does not match its digest; a part is missing or unknown, or
  /// its load_state() fails. Parts may have been changed then.
  void load(const std::string& path);
  /// Reads only the texts of a file, for a program that needs them to construct the parts.
  /// Errors: as load().
  static std::map<std::string, std::string> texts_of(const std::string& path);

 private:
  struct Part {
    std::function<NamedArrays()> state;
    std::function<void(const NamedArrays&)> load_state;
  };
  void add(const std::string& name, Part part);

  std::vector<std::pair<std::string, Part>> parts_;
};

}  // namespace attune
