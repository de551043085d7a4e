// Steps over some rows of a table.
#ifndef PANOPTIM_ROWS_ROWS_H
#define PANOPTIM_ROWS_ROWS_H

#include "panoptim.h"

// Checks a call before any byte of a row changes.
int32_t check_rows(panoptim_rows *rows);

// Runs a call that has been checked.
void run_rows(panoptim_rows &rows);

// Joins the call of another thread.
void help_rows(panoptim_rows &rows);

#endif
