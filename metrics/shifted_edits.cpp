#include "attune/metrics/shifted_edits.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <tuple>
#include <utility>
#include <vector>

namespace attune {
namespace {

constexpr int kLongestShift = 10, kFarthestShift = 50, kBeam = 25, kMostCandidates = 1000;
constexpr int kUnreached = 1'000'000'000;

enum class Edit : std::uint8_t { keep, substitute, insert, remove };

struct Cell {
  int distance = kUnreached;
  Edit edit = Edit::keep;
};

// A row of the table of edit distances: the cells around the diagonal.
struct Row {
  int first = 0;
  std::vector<Cell> cells;

  Cell at(int column) const {
    const int i = column - first;
    return i < 0 || i >= static_cast<int>(cells.size()) ? Cell{}
                                                        : cells[static_cast<std::size_t>(i)];
  }
};

// Edit distances of texts of one length to a reference.
class EditTable {
 public:
  EditTable(std::span<const int> reference, std::size_t output_length)
      : reference_(reference),
        length_(static_cast<int>(output_length)),
        ratio_(length_ > 0 ? static_cast<double>(reference.size()) / length_ : 1),
        beam_(kBeam < ratio_ / 2 ? static_cast<int>(std::ceil(ratio_ / 2 + kBeam)) : kBeam),
        rows_(output_length + 1),
        other_rows_(output_length + 1) {
    for (int j = 0; j <= columns(); ++j) rows_.front().cells.push_back({j, Edit::insert});
  }

  // Fills the table for a text, whose distance it returns.
  int fill(std::span<const int> words) {
    for (int i = 1; i <= length_; ++i) fill_row(row(rows_, i - 1), i, words, row(rows_, i));
    return rows_.back().at(columns()).distance;
  }

  // The distance of a text whose first `same` words are those of the text of the last fill().
  int distance(std::span<const int> words, int same) {
    const Row* last = &row(rows_, same);
    for (int i = same + 1; i <= length_; ++i) {
      fill_row(*last, i, words, row(other_rows_, i));
      last = &row(other_rows_, i);
    }
    return last->at(columns()).distance;
  }

  // The edits of the text of the last fill(), in order.
  std::vector<Edit> edits() const {
    std::vector<Edit> result;
    for (int i = length_, j = columns(); i > 0 || j > 0;) {
      const Edit edit = rows_[static_cast<std::size_t>(i)].at(j).edit;
      result.push_back(edit);
      i -= edit != Edit::insert;
      j -= edit != Edit::remove;
    }
    std::reverse(result.begin(), result.end());
    return result;
  }

 private:
  int columns() const { return static_cast<int>(reference_.size()); }
  static Row& row(std::vector<Row>& rows, int i) { return rows[static_cast<std::size_t>(i)]; }

  void fill_row(const Row& before, int i, std::span<const int> words, Row& row) const {
    const int diagonal = static_cast<int>(std::floor(i * ratio_));
    row.first = std::max(0, diagonal - beam_);
    const int end = i == length_ ? columns() + 1 : std::min(columns() + 1, diagonal + beam_);
    row.cells.clear();
    const int word = words[static_cast<std::size_t>(i - 1)];
    for (int j = row.first; j < end; ++j) {
      Cell cell;
      const auto consider = [&cell](int distance, Edit edit) {
        if (distance < cell.distance) cell = {distance, edit};
      };
      if (j > 0) {
        const bool same = word == reference_[static_cast<std::size_t>(j - 1)];
        consider(before.at(j - 1).distance + !same, same ? Edit::keep : Edit::substitute);
      }
      consider(before.at(j).distance + 1, Edit::remove);
      if (j > 0) consider(row.at(j - 1).distance + 1, Edit::insert);
      row.cells.push_back(cell);
    }
  }

  std::span<const int> reference_;
  int length_;
  double ratio_;  // of the lengths: where the diagonal is
  int beam_;
  std::vector<Row> rows_, other_rows_;
};

// Which word of the text each word of the reference corresponds to, and which words are edited.
struct Correspondence {
  std::vector<int> place;  // of each word of the reference in the text; -1: before its start
  std::vector<bool> reference_edited, text_edited;

  explicit Correspondence(std::span<const Edit> edits) {
    int position = -1;
    for (const Edit edit : edits) {
      const bool is_edited = edit != Edit::keep;
      if (edit != Edit::insert) {
        ++position;
        text_edited.push_back(is_edited);
      }
      if (edit != Edit::remove) {
        place.push_back(position);
        reference_edited.push_back(is_edited);
      }
    }
  }
};

bool any(const std::vector<bool>& values, int first, int count) {
  return std::find(values.begin() + first, values.begin() + first + count, true) !=
         values.begin() + first + count;
}

// Moves `length` words from `start` to before `target`. A target within them counts from their
// start in the text without them.
std::vector<int> shifted(std::span<const int> words, int start, int length, int target) {
  std::vector<int> result(words.begin(), words.end());
  const auto at = [&](int i) {
    return result.begin() + std::min(i, static_cast<int>(result.size()));
  };
  if (target < start)
    std::rotate(at(target), at(start), at(start + length));
  else
    std::rotate(at(start), at(start + length),
                at(target > start + length ? target : target + length));
  return result;
}

// Searches the shifts of one text to a reference.
class ShiftSearch {
 public:
  ShiftSearch(std::span<const int> output, std::span<const int> reference)
      : words_(output.begin(), output.end()),
        reference_(reference),
        table_(reference, output.size()) {}

  int run() {
    for (int shifts = 0;; ++shifts) {
      distance_ = table_.fill(words_);
      best_ = {};
      try_shifts();
      const int gain = std::get<0>(best_);
      if (candidates_ >= kMostCandidates || gain <= 0) return shifts + distance_;
      words_ = std::move(best_words_);
    }
  }

 private:
  void try_shifts() {
    const Correspondence found(table_.edits());
    const int words = static_cast<int>(words_.size());
    const int others = static_cast<int>(reference_.size());
    for (int start = 0; start < words; ++start) {
      const int last = std::min(others - 1, start + kFarthestShift);
      for (int other = std::max(0, start - kFarthestShift); other <= last; ++other) {
        for (int length = 1; length <= kLongestShift; ++length) {
          const int from = start + length - 1, to = other + length - 1;
          if (from >= words || to >= others ||
              words_[static_cast<std::size_t>(from)] != reference_[static_cast<std::size_t>(to)])
            break;
          if (!any(found.text_edited, start, length) || !any(found.reference_edited, other, length))
            continue;
          const int place = found.place[static_cast<std::size_t>(other)];
          if (place >= start && place < start + length) continue;
          try_places(found, start, other, length);
          if (candidates_ >= kMostCandidates) return;
        }
      }
    }
  }

  // Tries to shift a phrase of the text to each place around its match in the reference.
  void try_places(const Correspondence& found, int start, int other, int length) {
    int previous = -1;
    for (int i = other - 1; i < other + length; ++i) {
      const int target = i < 0 ? 0 : found.place[static_cast<std::size_t>(i)] + 1;
      if (target == previous) continue;
      previous = target;
      std::vector<int> candidate = shifted(words_, start, length, target);
      const int gain = distance_ - table_.distance(candidate, std::min(start, target));
      ++candidates_;
      // The largest gain, then the longest phrase, then the first, then the first target.
      const Rank rank = {gain, length, -start, -target};
      if (std::get<1>(best_) > 0 && rank <= best_) continue;
      best_ = rank;
      best_words_ = std::move(candidate);
    }
  }

  using Rank = std::tuple<int, int, int, int>;

  std::vector<int> words_;
  std::span<const int> reference_;
  EditTable table_;
  int distance_ = 0, candidates_ = 0;
  Rank best_ = {};  // of length 0: there is none
  std::vector<int> best_words_;
};

}  // namespace

int shifted_edit_distance(std::span<const int> output, std::span<const int> reference) {
  if (reference.empty()) return static_cast<int>(output.size());
  return ShiftSearch(output, reference).run();
}

}  // namespace attune
