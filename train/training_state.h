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

/// Something that goes on from its state, such as an optimizer, a schedule or a BatchStream.
template <typename Part>
concept HasState = requires(const Part& from, Part& to, const NamedArrays& arrays) {
  { from.state() } -> std::convertible_to<NamedArrays>;
  to.load_state(arrays);
};

/// The whole state of a training in one file, so that it can stop at any step and go on later, in
/// another process, with the same bits as one that never stopped:
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
  /// Texts of the program's own, such as the flags that the training was begun with.
  std::map<std::string, std::string> texts;

  /// Adds a part. Errors (all of them): the name is taken or has a slash.
  template <HasState Part>
  void add(const std::string& name, Part& part) {
    add(name, {[&part] { return part.state(); },
               [&part](const NamedArrays& arrays) { part.load_state(arrays); }});
  }
  void add(const std::string& name, Layer& model);         ///< its parameters
  void add(const std::string& name, Generator& random);    ///< seed and number of draws
  void add(const std::string& name, std::int64_t& count);  ///< from 0 to 2^53

  /// Writes all parts and texts, atomically and with a digest. Errors: see write_file_atomically().
  void save(const std::string& path) const;
  /// Sets all parts and texts to what save() wrote. Errors, which name the path: the file cannot be
  /// read, is damaged (its digest is compared), lacks a part or has another one, or a part refuses
  /// what is there for it; parts may have been changed then.
  void load(const std::string& path);
  /// Only the texts of a file, for a program that must know them before it makes the parts. Errors:
  /// as load().
  static std::map<std::string, std::string> texts_of(const std::string& path);

 private:
  struct Part {
    std::function<NamedArrays()> state;
    std::function<void(const NamedArrays&)> load_state;
  };
  void add(const std::string& name, Part part);

  std::vector<std::pair<std::string, Part>> parts_;
};

/// The number of that name in a state. Errors: there is none, or more than one number.
double number_in(const NamedArrays& state, std::string_view name);
/// The same for a whole number from 0 to 2^53. Errors: it is none.
std::int64_t count_in(const NamedArrays& state, std::string_view name);

}  // namespace attune
