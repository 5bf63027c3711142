let both = local(4) + full on memory(8)
(both & full) + (both - both) + (both & both) + ~both
