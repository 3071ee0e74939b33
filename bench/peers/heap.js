// SPDX-License-Identifier: MIT
// A heap of about N objects, and what node's own snapshot of it takes: node heap.js N FILE
'use strict';
const v8 = require('v8');
const [count, file] = process.argv.slice(2);
const items = [];
for (let i = 0; i < Number(count) / 4; i++) {
  items.push({ number: i + 0.5, name: 'item-' + i, parts: [i] });
}
const wall = process.hrtime.bigint();
const cpu = process.cpuUsage();
v8.writeHeapSnapshot(file);
const used = process.cpuUsage(cpu);
console.log(JSON.stringify({
  cpu_s: (used.user + used.system) / 1e6,
  wall_s: Number(process.hrtime.bigint() - wall) / 1e9,
  items: items.length,
}));
