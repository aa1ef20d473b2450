#pragma once

/// Input data: files, settings, UTF-8, vocabularies, pairs, tasks, batches.
#include "attune/data/batch.h"
#include "attune/data/batch_stream.h"
#include "attune/data/files.h"
#include "attune/data/gzip.h"
#include "attune/data/input_lines.h"
#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/data/pairs.h"
#include "attune/data/settings.h"
#include "attune/data/tasks.h"
#include "attune/data/text_windows.h"
#include "attune/data/utf8.h"
#include "attune/data/utf8_words.h"
#include "attune/data/vocabulary.h"
