/// API: tables of rows, such as embeddings, of which each step changes a few.
package dev.panoptim.rows;
