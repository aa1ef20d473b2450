#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "attune/data/utf8.h"

// Shared by the heat maps for terminals and those in SVG.
namespace attune::heat_map {

inline int count(const std::vector<std::string>& tokens) { return static_cast<int>(tokens.size()); }

using Color = std::uint32_t;  // 0xRRGGBB

// The colours of nine equally spaced weights from 0 to 1, interpolated linearly in between.
using ColorMap = std::array<Color, 9>;

// White to dark blue: unobtrusive for weights near 0, and readable when printed in greyscale.
inline constexpr ColorMap paper = {0xF0F4F9, 0xDEE8F3, 0xC6D8EA, 0xA0C3DF, 0x70A8CF,
                                   0x368ABF, 0x0B6CAB, 0x065086, 0x032B4D};

// Viridis (van der Walt and Smith 2015), dark to bright, for dark and light terminals.
inline constexpr ColorMap screen = {0x440154, 0x472D7B, 0x3B528B, 0x2C728E, 0x21918C,
                                    0x28AE80, 0x5EC962, 0xADDC30, 0xFDE725};

inline int red(Color color) { return static_cast<int>(color >> 16); }
inline int green(Color color) { return static_cast<int>(color >> 8 & 0xFF); }
inline int blue(Color color) { return static_cast<int>(color & 0xFF); }

// `weight` clamped to [0, 1]; NaN becomes 0.
inline float in_range(float weight) { return weight > 0 ? std::min(weight, 1.0f) : 0.0f; }

inline Color color_of(float weight, const ColorMap& map) {
  const float at = in_range(weight) * static_cast<float>(map.size() - 1);
  const std::size_t low = std::min(static_cast<std::size_t>(at), map.size() - 2);
  const float part = at - static_cast<float>(low);
  const auto mix = [&](int channel(Color)) {
    const float from = static_cast<float>(channel(map[low]));
    const float to = static_cast<float>(channel(map[low + 1]));
    return static_cast<Color>(std::lround(from + part * (to - from)));
  };
  return mix(red) << 16 | mix(green) << 8 | mix(blue);
}

// The printable labels of tokens, each at most `width` columns wide.
inline std::vector<std::string> labels_of(const std::vector<std::string>& tokens, int width) {
  std::vector<std::string> labels;
  for (const std::string& token : tokens)
    labels.push_back(utf8::shortened(utf8::visible(token), width));
  return labels;
}

inline int widest(const std::vector<std::string>& labels) {
  int width = 0;
  for (const std::string& label : labels) width = std::max(width, utf8::display_width(label));
  return width;
}

}  // namespace attune::heat_map
