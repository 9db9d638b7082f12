module mainjob

go 1.22
