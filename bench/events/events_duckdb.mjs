// SPDX-License-Identifier: Apache-2.0
// DuckDB on one thread: node events_duckdb.mjs QUESTIONS.json, of events_peer.py. Makes its tables, then
// prints a line of JSON for each query: its name, rows, and the processor and wall milliseconds of the
// fastest of three.
import { readFileSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";

const { tables, queries } = JSON.parse(readFileSync(process.argv[2]));
const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
const base = await instance.connect();
for (const table of tables) {
  await base.run(table);
}
const plain = (value) => (typeof value === "bigint" ? Number(value) : value);
for (const { name, sql } of queries) {
  let best = { cpu_ms: Infinity };
  for (let round = 0; round < 3; round++) {
    const cpu = process.cpuUsage();
    const begun = performance.now();
    const rows = (await base.runAndReadAll(sql)).getRows();
    const used = process.cpuUsage(cpu);
    const cpu_ms = (used.user + used.system) / 1000;
    if (cpu_ms < best.cpu_ms) {
      best = { name, rows: rows.map((row) => row.map(plain)), cpu_ms, wall_ms: performance.now() - begun };
    }
  }
  console.log(JSON.stringify(best));
}
