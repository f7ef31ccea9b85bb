# fish completion of ncworker, made from the tables of the program itself.
@COMMON@
