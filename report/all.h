#pragma once

/// Pages for a browser: reports of trainings, explanations of a decoding.
#include "attune/report/explanation_html.h"
#include "attune/report/report.h"
