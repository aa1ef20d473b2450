#pragma once

#include <string>
#include <vector>

#include "catch.h"
#include "temporary_folder.h"

/// Runs the programs seq2seq and language_model from the command line, as users do.
namespace program {

struct Result {
  int code;
  std::string out, err;
};

/// Small sizes, for quick trainings.
constexpr const char* kSmall = " --hidden 8 --embedding 4 --batch 8 ";

/// Runs a shell command in which $seq2seq and $language_model are the programs.
Result shell(const TemporaryFolder& folder, const std::string& command,
             const std::string& input = "");

/// Runs the program in the folder.
Result seq2seq(const TemporaryFolder& folder, const std::string& arguments,
               const std::string& input = "");

Result language_model(const TemporaryFolder& folder, const std::string& arguments,
                      const std::string& input = "");

/// Trains a small model for three steps into the run folder `run`.
Result train(const TemporaryFolder& folder, const std::string& arguments);

/// Checks that a program failed with one line of error, which begins with "NAME: error: " and
/// contains `part`.
void check_error(const Result& result, const std::string& part,
                 const std::string& name = "seq2seq");

std::vector<std::string> lines_of(const std::string& text);

/// The names of a folder's entries, in alphabetical order.
std::vector<std::string> names_in(const std::string& path);

}  // namespace program
